//! Completions for shells and the man page, made from the definition of the command line.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::terminal::print_bytes;

/// How the program is called.
const NAME: &str = "portcullis";

#[derive(Debug, Args)]
pub(super) struct CompletionArguments {
    /// The shell that asks
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints a script that completes commands, options and words.
pub(super) fn completions(arguments: &CompletionArguments) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), NAME, &mut script);
    print_bytes(&script);
    ExitCode::SUCCESS
}

/// Prints the man page, `portcullis(1)`: the program, then each of its commands.
pub(super) fn man() -> ExitCode {
    let mut page = Vec::new();
    match render(&mut page) {
        Ok(()) => {
            print_bytes(&page);
            ExitCode::SUCCESS
        }
        Err(error) => super::run::fail(&error),
    }
}

fn render(page: &mut Vec<u8>) -> std::io::Result<()> {
    let mut program = super::Arguments::command();
    program.build();
    clap_mangen::Man::new(program.clone()).render(page)?;
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        section(page, &format!("{NAME} {}", command.get_name()), command)?;
        for nested in command.get_subcommands().filter(|nested| nested.get_name() != "help") {
            section(page, &format!("{NAME} {} {}", command.get_name(), nested.get_name()), nested)?;
        }
    }
    Ok(())
}

fn section(page: &mut Vec<u8>, name: &str, command: &clap::Command) -> std::io::Result<()> {
    let man = clap_mangen::Man::new(command.clone());
    writeln!(page, ".SH \"{}\"", name.to_uppercase())?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)
}
