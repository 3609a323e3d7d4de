#[test]
fn probe() {
    let Ok(path) = std::env::var("PROBE") else { return };
    let machine = super::Machine::with(&std::fs::read_to_string(path).unwrap())
        .variable("SECRET", "s")
        .certificate("tls");
    match machine.load() {
        Ok((_, report)) => println!("LOADS\n{report}"),
        Err(report) => println!("{report}"),
    }
}
