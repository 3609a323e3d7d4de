//! The steps of the Dockerfile, run as they stand in a folder that holds what its `COPY` lines name and nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In place of `cargo build --release`. Such a build takes minutes; checking the same sources with the dependencies
/// that the tests have built shows what is missing as well, and the program is the one that the tests have.
const CARGO: &str = r#"#!/bin/sh
set -e
[ "$1 $2" = "build --release" ]
shift 2
"$REAL_CARGO" check --offline --manifest-path Cargo.toml "$@"
mkdir -p target/release
cp "$PROGRAM" target/release/
"#;

/// In place of `chown -R OWNER PATH`, since only root gives files away.
const CHOWN: &str = r#"#!/bin/sh
set -e
[ "$1" = -R ]
echo "$2 $(ls -d "$3")" >"$GIVEN"
"#;

/// A line of the Dockerfile: the instruction and what stands behind it.
type Step = (String, String);

/// The stages, each from its `FROM` on.
fn stages() -> Vec<Vec<Step>> {
    let text = fs::read_to_string("Dockerfile").unwrap().replace("\\\n", "");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut stages = Vec::new();
    for (instruction, words) in lines.map(|line| line.split_once(' ').unwrap()) {
        if instruction == "FROM" {
            stages.push(Vec::new());
        }
        stages.last_mut().unwrap().push((instruction.to_owned(), words.trim().to_owned()));
    }
    stages
}

/// The words of the one line with this instruction.
fn only<'a>(stage: &'a [Step], instruction: &str) -> &'a str {
    let mut found = stage.iter().filter(|(name, _)| name == instruction);
    match (found.next(), found.next()) {
        (Some((_, words)), None) => words,
        _ => panic!("not exactly one {instruction}"),
    }
}

/// A machine to build on: what stands for its folders `/portcullis` and `/image`, and its programs.
struct Builder {
    root: PathBuf,
    work: PathBuf,
}

impl Builder {
    /// At the same place each time, so that nothing is left behind that grows.
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dockerfile");
        let _ = fs::remove_dir_all(&root);
        lend_dependencies(&root.join("target"));
        let programs = root.join("programs");
        fs::create_dir_all(&programs).unwrap();
        for (name, script) in [("cargo", CARGO), ("chown", CHOWN)] {
            let program = programs.join(name);
            fs::write(&program, script).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { work: root.clone(), root }
    }

    /// Where an absolute path is here.
    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn step(&mut self, (instruction, words): &Step) {
        match instruction.as_str() {
            "FROM" => {}
            "WORKDIR" => {
                self.work = self.at(words);
                fs::create_dir_all(&self.work).unwrap();
            }
            "COPY" => self.copy(&words.split(' ').collect::<Vec<_>>()),
            // What the base image lacks is on every machine that runs the tests: a compiler and certificates.
            "RUN" if words.starts_with("apk add ") => {}
            "RUN" => self.run(words),
            other => panic!("{other}: this test does not know how to do that"),
        }
    }

    fn copy(&self, words: &[&str]) {
        let (to, sources) = words.split_last().unwrap();
        let ignored = fs::read_to_string(".dockerignore").unwrap();
        for source in sources.iter().map(Path::new) {
            let first = source.iter().next().unwrap();
            assert!(!ignored.lines().any(|line| line == first), "{} is ignored", source.display());
            let to = self.work.join(to);
            let inside = words.len() > 2 && source.is_file();
            copy(source, &if inside { to.join(source.file_name().unwrap()) } else { to });
        }
    }

    fn run(&self, words: &str) {
        let image = self.at("/image");
        let path = format!("{}:{}", self.at("programs").display(), std::env::var("PATH").unwrap());
        let done = Command::new("sh")
            .args(["-c", &words.replace("/image", image.to_str().unwrap())])
            .current_dir(&self.work)
            .env("PATH", path)
            .env("REAL_CARGO", env!("CARGO"))
            .env("PROGRAM", env!("CARGO_BIN_EXE_portcullis"))
            .env("GIVEN", self.at("given"))
            .env("CARGO_TARGET_DIR", self.at("target"))
            .env("CARGO_BUILD_JOBS", "1")
            .output()
            .unwrap();
        assert!(done.status.success(), "{words}\n{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// What the tests' build has made of the dependencies, as links. The sources that are copied must not share a folder with
/// those of the project: Cargo would take the one for the other, and check neither when it changes.
fn lend_dependencies(target: &Path) {
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("debug");
    fs::create_dir_all(target.join("debug")).unwrap();
    for part in ["deps", "build", ".fingerprint"] {
        link(&built.join(part), &target.join("debug").join(part));
    }
}

fn link(from: &Path, to: &Path) {
    let name = from.file_name().unwrap().to_string_lossy();
    if name.starts_with("portcullis") || name.starts_with("libportcullis") {
        return;
    }
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        let entries = fs::read_dir(from).unwrap();
        entries.map(Result::unwrap).for_each(|entry| link(&entry.path(), &to.join(entry.file_name())));
    } else {
        // Cargo may be building beside, and take away what it has just made.
        let _ = fs::hard_link(from, to);
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// A file, or what is in a folder, as `COPY` does it.
fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        return;
    }
    let entries = fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for entry in entries.map(Result::unwrap) {
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// The program in its stand-in image, started as the image starts it, with a configuration that is not there.
fn started(stage: &[Step], image: &Path) -> (Option<i32>, String) {
    let words = |instruction| serde_json::from_str::<Vec<String>>(only(stage, instruction)).unwrap();
    let (entry, arguments) = (words("ENTRYPOINT"), words("CMD"));
    let moved = |word: &String| {
        if word.starts_with('/') { format!("{}{word}", image.display()) } else { word.clone() }
    };
    let mut words = entry.iter().chain(&arguments).map(moved);
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_steps_of_the_dockerfile_make_an_image_whose_program_starts() {
    let [build, last] = stages().try_into().unwrap();
    let mut builder = Builder::new();
    build.iter().for_each(|step| builder.step(step));

    assert_eq!(only(&last, "COPY"), "--from=build /image /");
    let image = builder.at("/image");
    let home = image.join(only(&last, "WORKDIR").trim_start_matches('/'));
    let given = fs::read_to_string(builder.at("given")).unwrap();
    assert_eq!(
        given.trim_end(),
        format!("{} {}", only(&last, "USER"), home.display()),
        "the state is the user's"
    );
    let authorities = fs::read_to_string(image.join("etc/ssl/certs/ca-certificates.crt")).unwrap();
    assert!(authorities.contains("BEGIN CERTIFICATE"));
    assert!(image.join("etc/portcullis").is_dir(), "where the configuration is mounted");
    let (code, told) = started(&last, &image);
    assert_eq!(code, Some(64), "{told}");
    assert!(told.contains("/image/etc/portcullis/portcullis.toml"), "{told}");
}
