//! What the property tests of the modules share: generators of what strangers can write, bent in every way that
//! proptest can think of, and campaigns, which put it through a parser a few thousand times in the ordinary run and
//! 200,000 times with `./tests/run --full`.

pub(crate) mod mutations;
pub(crate) mod notations;
pub(crate) mod rows;
pub(crate) mod worlds;

#[path = "../../tests/it/campaign.rs"]
#[expect(dead_code, reason = "some of it serves the integration tests only")]
pub(crate) mod campaign;

use campaign::{Campaign, is_whole};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};

/// How often a target is run.
#[derive(Clone, Copy)]
pub(crate) struct Volume {
    pub sampled: u32,
    pub whole: u32,
}

/// In so many steps of equal size, where it is run whole.
const STEPS: u32 = 20;

/// Runs a target on so many inputs; a panic in it is a finding like any other.
pub(crate) fn fuzz<S: Strategy>(
    target: &str,
    volume: Volume,
    inputs: &S,
    check: impl Fn(S::Value) -> TestCaseResult,
) {
    let campaign = Campaign::named("fuzz", target);
    let whole = is_whole("fuzz");
    let config = Config {
        cases: if whole {
            volume.whole / STEPS
        } else {
            volume.sampled
        },
        failure_persistence: None,
        max_shrink_iters: 10_000,
        ..Config::default()
    };
    // What is new each time is tried by the whole campaign; the ordinary run says the same each time.
    let tree = std::env::var("SYNCMON_TEST_TREE").unwrap_or_default();
    for step in campaign.steps(1, STEPS as usize) {
        let rng = if whole {
            let mut seed = [0; 32];
            let own = format!("{:>3}{tree:.29}", step.number);
            seed[..own.len()].copy_from_slice(own.as_bytes());
            TestRng::from_seed(RngAlgorithm::ChaCha, &seed)
        } else {
            TestRng::deterministic_rng(RngAlgorithm::ChaCha)
        };
        let checked = TestRunner::new_with_rng(config.clone(), rng).run(inputs, &check);
        checked.unwrap_or_else(|finding| panic!("{target}: {finding}"));
        step.count("executions", config.cases as usize);
    }
    campaign.ends(&format!("{} executions", campaign.tally("executions")));
}
