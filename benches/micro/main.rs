//! The steps of a request, each counted in instructions (`benches/count`), so that what a change costs shows
//! whatever else the machine is doing.
//!
//! `micro CASE N` does the step N times; without arguments every case runs once and is named. `micro million [N]` measures
//! what so many sessions cost, `micro events [N]` what a store of so many events does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench has nobody to be kind to"
)]

mod case;
mod cases;
mod events;
mod gateway;
mod million;
mod tokens;

use std::process::ExitCode;

/// The allocator of the program: its instructions count as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (name, times) = (arguments.next(), arguments.next());
    let Some(name) = name else {
        for (name, make) in cases::ALL {
            make().step();
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    };
    if name == "million" {
        million::run(times.map_or(1_000_000, |count| count.parse().unwrap()));
        return ExitCode::SUCCESS;
    }
    if name == "events" {
        events::run(times.map_or(1_000_000, |count| count.parse().unwrap()));
        return ExitCode::SUCCESS;
    }
    let case = cases::ALL.iter().chain(cases::SLOW).find(|(known, _)| *known == name);
    let (Some((_, make)), Some(times)) = (case, times.and_then(|times| times.parse::<u32>().ok())) else {
        eprintln!("expected a case and a number");
        return ExitCode::FAILURE;
    };
    let mut case = make();
    for _ in 0..times {
        case.step();
    }
    ExitCode::SUCCESS
}
