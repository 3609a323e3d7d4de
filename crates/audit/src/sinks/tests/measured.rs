//! What the chain costs. Run by hand, optimised; `benches/README.md` has the figures.

use std::fs::File;
use std::io::BufReader;

use portcullis_events::AccessEvent;

use super::rig::Rig;
use super::*;
use crate::chain::{LinesOfFile, Ties, Verification, Whole, Writer};
use crate::sinks::file::FileSink;
use crate::sinks::health::Status;
use crate::sinks::sink::{Batch, Sink as _};

const LINES: u32 = 1_000_000;

fn blocks(recorder: &Recorder) -> Vec<Block> {
    recorder.want(KindSet::ALL, true);
    let mut blocks = Vec::new();
    let event = AccessEvent { reason: "policy staff, rule 1", ..asked("/wiki/Main_Page/history/2027") };
    while blocks.iter().map(|block: &Block| block.heads().len()).sum::<usize>() < LINES as usize / 50 {
        (0..1000).for_each(|_| {
            recorder.emit(&event);
        });
        recorder.sweep(|block| blocks.push(block));
    }
    blocks
}

fn write(rig: &Rig, blocks: &[Block], chain: bool) -> Duration {
    let path = rig.folder.path().join(if chain { "chained.jsonl" } else { "plain.jsonl" });
    let settings = FileSettings { chain, ..file_settings(&path) };
    let (status, writer) = (Arc::<Status>::default(), Writer::new("file", "9f2c41d07ab3", &Ties::default()));
    let mut sink =
        FileSink::open(&settings, writer, &Arc::from("9f2c41d07ab3"), &rig.clock, &status).unwrap();
    let begun = Instant::now();
    for block in blocks.iter().cycle().take(blocks.len() * 50) {
        sink.write(&Batch { block, chosen: KindSet::ALL }).unwrap();
    }
    begun.elapsed()
}

#[test]
#[ignore = "a measurement"]
fn what_the_chain_costs() {
    let rig = Rig::new();
    let blocks = blocks(&Recorder::new(0, clock(), 1 << 28));
    let lines = blocks.iter().map(|block| block.heads().len()).sum::<usize>() * 50;
    let each = |span: Duration| span.as_secs_f64() * 1e6 / lines as f64;
    for _ in 0..3 {
        let (plain, chained) = (write(&rig, &blocks, false), write(&rig, &blocks, true));
        let file = File::open(rig.folder.path().join("chained.jsonl")).unwrap();
        let bytes = file.metadata().unwrap().len();
        let begun = Instant::now();
        let mut verification = Verification::new(Whole::Record);
        verification.place(&mut LinesOfFile::new("a", BufReader::with_capacity(1 << 17, file))).unwrap();
        let report = verification.finish(None);
        assert_eq!(report.findings, []);
        let verified = begun.elapsed();
        println!(
            "{lines} lines, {bytes} bytes: written in {:.3} µs a line, chained in {:.3}, verified in {:.3} ({:.0} lines/s)",
            each(plain),
            each(chained),
            each(verified),
            lines as f64 / verified.as_secs_f64(),
        );
        std::fs::remove_file(rig.folder.path().join("chained.jsonl")).unwrap();
        std::fs::remove_file(rig.folder.path().join("plain.jsonl")).unwrap();
    }
}
