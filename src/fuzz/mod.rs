//! Fuzzing: what strangers can write, bent in every way that proptest can think of, goes through
//! each parser a few thousand times in the ordinary run and 200,000 times with `./tests/run --full`.

mod changes;
mod configuration;
mod connection;
mod decoding;
mod masking;
mod notations;
mod state_files;

#[path = "../../tests/it/figures.rs"]
mod figures;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

/// How often a target is run.
#[derive(Clone, Copy)]
struct Volume {
    sampled: u32,
    whole: u32,
}

impl Volume {
    fn cases(self) -> u32 {
        if std::env::var_os("SYNCMON_TEST_FULL").is_some() {
            self.whole
        } else {
            self.sampled
        }
    }
}

/// Runs a target on so many inputs; a panic in it is a finding like any other.
fn fuzz<S: Strategy>(
    target: &str,
    volume: Volume,
    inputs: &S,
    check: impl Fn(S::Value) -> TestCaseResult,
) {
    let cases = volume.cases();
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 10_000,
        ..Config::default()
    };
    if let Err(finding) = TestRunner::new(config).run(inputs, check) {
        panic!("{target}: {finding}");
    }
    figures::report(&format!(
        "fuzzing of {target}: {cases} executions, 0 findings"
    ));
}
