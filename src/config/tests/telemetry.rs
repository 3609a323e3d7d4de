//! `[telemetry]`.

use super::warnings::nothing_is_said_of;
use super::{each_is_told, longer, settings};
use crate::trace::Sampler;

fn with(lines: &str) -> String {
    longer(&format!("[telemetry]\n{lines}\n"))
}

#[test]
fn a_share_is_a_number_from_0_to_1_whole_or_not() {
    for (share, sampler) in [("0", 0.0), ("1", 1.0), ("0.01", 0.01), ("1e-3", 0.001)] {
        let telemetry = settings(&with(&format!("sample = {share}"))).telemetry.unwrap();
        assert_eq!(telemetry.traces, Sampler::new(sampler), "{share}");
    }
    for share in ["-0.1", "1.1", "2", "-1", "nan", "inf"] {
        each_is_told(&[(
            with(&format!("sample = {share}")),
            "not a share of all traces",
            "from 0 (none) to 1 (all)",
        )]);
    }
    each_is_told(&[(with("sample = \"all\""), "a string does not fit here", "expected a number")]);
}

#[test]
fn without_the_table_no_traces_are_made_and_with_it_none_is_recorded_unless_asked_for() {
    assert_eq!(settings(&longer("")).telemetry, None);
    assert_eq!(settings(&with("")).telemetry.unwrap().traces, Sampler::new(0.0));
    nothing_is_said_of(&[with("sample = 0.01")]);
}
