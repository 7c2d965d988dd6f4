//! Lists each promise once per host that can run it.

use std::future::Future;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use libtest_mimic::{Arguments, Conclusion, Trial};

/// No single test may take longer: a hang is a failure with a name.
const LIMIT: Duration = Duration::from_secs(120);

/// Tests mostly wait, so more of them run at once than there are cores.
const THREADS: usize = 4;

/// Held for reading by ordinary tests, for writing by those that measure.
static TURNSTILE: RwLock<()> = RwLock::new(());

/// What tests are listed under.
pub trait TestHost: Copy + Send + 'static {
    /// The prefix of their names.
    fn name(self) -> &'static str;

    /// Why its tests cannot run here, if they cannot.
    fn missing(self) -> Option<&'static str>;
}

/// All tests of the run.
#[derive(Default)]
pub struct Suite {
    trials: Vec<Trial>,
    /// Names of the tests that cannot run here, and why.
    skipped: Vec<(String, &'static str)>,
    /// Why tests cannot run here, whatever their host.
    lacking: Option<&'static str>,
}

impl Suite {
    /// Registers a promise for `hosts`. Use [`promises!`](crate::promises).
    pub fn on<H, F, R>(&mut self, hosts: &[H], name: &str, test: F)
    where
        H: TestHost,
        F: Fn(H) -> R + Clone + Send + 'static,
        R: Future<Output = ()>,
    {
        self.register(hosts, name, false, test);
    }

    /// Registers a promise that is tested by a measurement, so that it runs while no other test does.
    pub fn alone<H, F, R>(&mut self, hosts: &[H], name: &str, test: F)
    where
        H: TestHost,
        F: Fn(H) -> R + Clone + Send + 'static,
        R: Future<Output = ()>,
    {
        self.register(hosts, name, true, test);
    }

    /// What the tests that are registered from here on need but is missing, if anything: they are skipped
    /// for that reason.
    pub fn lacking(&mut self, reason: Option<&'static str>) {
        self.lacking = reason;
    }

    fn register<H, F, R>(&mut self, hosts: &[H], name: &str, alone: bool, test: F)
    where
        H: TestHost,
        F: Fn(H) -> R + Clone + Send + 'static,
        R: Future<Output = ()>,
    {
        for &host in hosts {
            let full_name = format!("{}::{name}", host.name());
            let missing = host.missing().or(self.lacking);
            if let Some(reason) = missing {
                self.skipped.push((full_name.clone(), reason));
            }
            let test = test.clone();
            let trial = Trial::test(full_name, move || {
                run(alone, test(host));
                Ok(())
            });
            self.trials.push(trial.with_ignored_flag(missing.is_some()));
        }
    }

    /// Runs what the command line selects.
    pub fn run(self, mut arguments: Arguments) -> Conclusion {
        arguments.test_threads.get_or_insert(THREADS);
        if !arguments.list {
            let asked_for = |name: &str| {
                arguments
                    .filter
                    .as_ref()
                    .is_none_or(|part| name.contains(part))
            };
            for (name, reason) in self.skipped.iter().filter(|(name, _)| asked_for(name)) {
                println!("skipped: {name}: {reason}");
            }
        }
        libtest_mimic::run(&arguments, self.trials)
    }
}

fn run(alone: bool, test: impl Future<Output = ()>) {
    // A failed measurement poisons the lock, which does not matter to the next test.
    let _turn = if alone {
        (
            None,
            Some(TURNSTILE.write().unwrap_or_else(PoisonError::into_inner)),
        )
    } else {
        (
            Some(TURNSTILE.read().unwrap_or_else(PoisonError::into_inner)),
            None,
        )
    };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(async {
            tokio::time::timeout(LIMIT, test)
                .await
                .unwrap_or_else(|_| panic!("not done within {LIMIT:?}"));
        });
}

/// `promises!(suite, HOSTS, [one, two])` registers functions under their own names.
#[macro_export]
macro_rules! promises {
    ($suite:expr, $hosts:expr, [$($test:ident),+ $(,)?]) => {
        $($suite.on($hosts, stringify!($test), $test);)+
    };
}
