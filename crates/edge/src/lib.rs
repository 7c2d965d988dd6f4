//! The engine as a WebAssembly component: `wit/engine.wit` over
//! `function-fetch-engine`, for hosts that are not written in Rust.
//!
//! Conversion only. No call may trap, whatever its arguments: a trap would end
//! the instance, and with it every request that the host serves. So what names
//! no target, or comes before [`wit::Guest::configure`], is harmless.

// The exports of a component, which are generated, and the allocator.
#![allow(unsafe_code)]

mod configuration;
mod event;
mod memory;
mod notice;
mod record;
mod request_state;
mod stats;
mod status;
mod step;

use function_fetch_engine::settings::NAMES;
use function_fetch_engine::{Event, Millis, Request, Timestamp};

#[allow(missing_docs, reason = "`wit/engine.wit` has the documentation")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/engine.wit",
        world: "adapter",
        // There is nothing that would have to run before the first call.
        disable_run_ctors_once_workaround: true,
    });
}

pub use bindings::exports::function_fetch::edge::engine as wit;

// A third of the size of the standard one, and quick enough for the few dozen
// blocks that live here at a time.
#[cfg(target_family = "wasm")]
#[global_allocator]
// SAFETY: a module has one thread.
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };

/// What the component exports: [`wit::Guest`] is `wit/engine.wit`.
pub struct Edge;

// Export names such as `function-fetch:edge/engine@0.1.0#begin` mean nothing to
// a native linker.
#[cfg(target_family = "wasm")]
bindings::export!(Edge with_types_in bindings);

/// A loop: an array's own `map` is laid out item by item.
fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

impl wit::Guest for Edge {
    fn setting_names() -> Vec<String> {
        texts(&NAMES)
    }

    fn configure(
        settings: Vec<(String, String)>,
        limits: wit::Limits,
        seed: f64,
    ) -> wit::Configuration {
        let engine = configuration::engine(&settings, &limits, seed);
        let configuration = configuration::of(engine.settings());
        memory::fill(engine);
        configuration
    }

    fn begin(method: String, path: String, hops: u32, has_body: bool, now: f64) -> wit::Step {
        let request = Request {
            method: &method,
            path: &path,
            hops,
            has_body,
            may_meet_closed_connection: false,
        };
        memory::engine(|engine| {
            let step = engine.begin(&request, Timestamp(now));
            step::to_host(engine, step)
        })
    }

    fn settle(state: wit::RequestState, event: wit::Event, now: f64) -> wit::Step {
        let now = Timestamp(now);
        memory::engine(|engine| {
            let targets = engine.settings().targets.len();
            let known = request_state::known(engine, state);
            let step = match known.zip(event::from_host(event, targets, now)) {
                Some((state, event)) => engine.settle(state, event, now),
                None => step::refused(engine, now),
            };
            step::to_host(engine, step)
        })
    }

    fn explain(state: wit::RequestState, status: u16) -> Option<String> {
        memory::engine(|engine| engine.explain(&request_state::known(engine, state)?, status))
    }

    fn start_round(now: f64) -> Option<wit::Round> {
        memory::engine(|engine| engine.start_round(Timestamp(now)).map(step::round_to_host))
    }

    fn round_read_store(value: Option<wit::Stored>, now: f64) -> bool {
        let value = value.map(record::from_host);
        memory::engine(|engine| engine.round_read_store(value.as_ref(), Timestamp(now)))
    }

    fn probed(round: u32, target: u32, outcome: wit::ProbeResult, elapsed: f64, now: f64) -> bool {
        let outcome = event::probe_outcome(outcome, Millis(elapsed));
        memory::engine(|engine| {
            engine.probed(round, target as usize, outcome, Timestamp(now));
            engine.round_is_ready(Timestamp(now))
        })
    }

    fn finish_round(round: u32, now: f64) -> Option<wit::Round> {
        memory::engine(|engine| {
            engine
                .finish_round(round, Timestamp(now))
                .map(step::round_to_host)
        })
    }

    fn round_is_ready(now: f64) -> bool {
        memory::engine(|engine| engine.round_is_ready(Timestamp(now)))
    }

    fn take_write(now: f64) -> Option<wit::StoreWrite> {
        memory::engine(|engine| {
            let write = engine.take_write(Timestamp(now))?;
            Some(wit::StoreWrite {
                record: record::to_host(write.record),
                ttl_seconds: write.ttl_seconds,
            })
        })
    }

    fn store_written(well: bool) {
        memory::engine(|engine| engine.store_written(well));
    }

    fn status(request: wit::StatusRequest, store_read: bool, now: f64) -> Option<wit::LocalReply> {
        memory::engine(|engine| status::answer(engine, &request, store_read, Timestamp(now)))
    }

    fn status_store(event: wit::Event, now: f64) {
        let now = Timestamp(now);
        memory::engine(|engine| {
            if let Some(event @ (Event::StoreRead(_) | Event::StoreFailed)) =
                event::from_host(event, 0, now)
            {
                engine.status_store(&event, now);
            }
        });
    }

    fn take_notices(now: f64) -> Vec<wit::Notice> {
        memory::engine(|engine| {
            let notices = engine.take_notices(Timestamp(now));
            notices.into_iter().map(notice::to_host).collect()
        })
    }

    fn take_stats(all: bool, now: f64) -> Option<wit::Stats> {
        memory::engine(|engine| engine.take_stats(all, Timestamp(now)).map(stats::to_host))
    }
}
