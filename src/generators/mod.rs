//! What the property tests of the modules share: generators of what strangers can write, bent in every way that
//! proptest can think of, and campaigns, which put it through a parser a few thousand times in the ordinary run and
//! 200,000 times with `./tests/run --full`.

pub(crate) mod mutations;
pub(crate) mod notations;
pub(crate) mod rows;
pub(crate) mod worlds;

#[path = "../../tests/it/figures.rs"]
pub(crate) mod figures;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};

/// How often a target is run.
#[derive(Clone, Copy)]
pub(crate) struct Volume {
    pub sampled: u32,
    pub whole: u32,
}

impl Volume {
    fn cases(self) -> u32 {
        if whole() { self.whole } else { self.sampled }
    }
}

pub(crate) fn whole() -> bool {
    std::env::var_os("SYNCMON_TEST_FULL").is_some()
}

/// Runs a target on so many inputs; a panic in it is a finding like any other.
pub(crate) fn fuzz<S: Strategy>(
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
    // The whole campaign looks for what is new each time; the ordinary run says the same each time.
    let mut runner = if whole() {
        TestRunner::new(config)
    } else {
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    };
    if let Err(finding) = runner.run(inputs, check) {
        panic!("{target}: {finding}");
    }
    figures::report(&format!(
        "fuzzing of {target}: {cases} executions, 0 findings"
    ));
}
