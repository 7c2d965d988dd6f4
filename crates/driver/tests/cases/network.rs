//! Upstreams that answer as a case says, without a network between.

use function_fetch_cases::{Answer, Behaviour, Fault, Seen};
use function_fetch_engine::Failure;
use function_fetch_engine::headers::Fields;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::sleep;

/// Every exchange takes so long at least: one that takes no time at all says
/// nothing of who is faster.
const LATENCY: Duration = Duration::from_millis(1);

/// What an upstream answers with, whole.
pub struct Answered {
    pub status: u16,
    pub fields: Fields,
    pub body: Vec<u8>,
    pub trailers: Fields,
    pub broken: bool,
}

struct Upstream {
    name: String,
    behaviour: Behaviour,
    answered: usize,
    probes: Vec<Seen>,
    seen: Vec<Seen>,
}

#[derive(Default)]
struct State {
    /// By authority.
    upstreams: BTreeMap<String, Upstream>,
    health_path: String,
}

/// All upstreams of a case. A handle: clones share them.
#[derive(Clone, Default)]
pub struct Network(Rc<RefCell<State>>);

impl Network {
    /// Upstreams by name and authority.
    pub fn new(authorities: &BTreeMap<String, String>) -> Self {
        let upstreams = authorities.iter().map(|(name, authority)| {
            let upstream = Upstream {
                name: name.clone(),
                behaviour: Behaviour::default(),
                answered: 0,
                probes: Vec::new(),
                seen: Vec::new(),
            };
            (authority.clone(), upstream)
        });
        Self(Rc::new(RefCell::new(State {
            upstreams: upstreams.collect(),
            health_path: String::new(),
        })))
    }

    /// Which requests are probes, on whatever base path.
    pub fn probed_at(&self, health_path: String) {
        self.0.borrow_mut().health_path = health_path;
    }

    pub fn behave(&self, name: &str, behaviour: Behaviour) {
        self.with(name, |upstream| {
            upstream.behaviour = behaviour;
            upstream.answered = 0;
        });
    }

    pub fn probes(&self, name: &str) -> Vec<Seen> {
        self.with(name, |upstream| upstream.probes.clone())
    }

    pub fn seen(&self, name: &str) -> Vec<Seen> {
        self.with(name, |upstream| upstream.seen.clone())
    }

    fn with<R>(&self, name: &str, work: impl FnOnce(&mut Upstream) -> R) -> R {
        let mut state = self.0.borrow_mut();
        let upstream = state
            .upstreams
            .values_mut()
            .find(|upstream| upstream.name == name);
        work(upstream.expect("the table has checked the names"))
    }

    /// One exchange with whoever is at `authority`. `take_body` is called when
    /// the upstream reads the request's body.
    pub async fn exchange(
        &self,
        authority: &str,
        mut request: Seen,
        take_body: impl FnOnce(),
    ) -> Result<Answered, Failure> {
        let (name, answer) = self.arrive(authority, &mut request)?;
        if answer.fault != Some(Fault::Reset) && answer.read_body {
            take_body();
        }
        sleep(LATENCY + Duration::from_millis(answer.delay_ms)).await;
        let (body, broken) = match answer.fault {
            Some(Fault::Reset) => return Err(Failure::ConnectionTerminated),
            Some(Fault::Garbage) => return Err(Failure::HttpProtocolError),
            Some(Fault::Silent) => pending().await,
            Some(Fault::Short) => (Answer::short_body().to_vec(), true),
            None => (answer.content(&name), false),
        };
        Ok(Answered {
            status: answer.status,
            fields: answer.fields(&name),
            body,
            trailers: answer.trailers.to_raw(),
            broken,
        })
    }

    /// Notes the request, and says how it is answered.
    fn arrive(&self, authority: &str, request: &mut Seen) -> Result<(String, Answer), Failure> {
        let mut state = self.0.borrow_mut();
        let probe = request.path.ends_with(&state.health_path);
        let upstream = state
            .upstreams
            .get_mut(authority)
            .ok_or(Failure::DnsError)?;
        if upstream.behaviour.dead {
            return Err(Failure::ConnectionRefused);
        }
        let answer = if probe {
            upstream.probes.push(request.clone());
            upstream.behaviour.health.clone()
        } else {
            upstream.answered += 1;
            upstream.behaviour.answer(upstream.answered - 1)
        };
        if answer.fault.is_some() || !answer.read_body {
            request.body.clear();
        }
        if !probe {
            upstream.seen.push(request.clone());
        }
        Ok((upstream.name.clone(), answer))
    }
}
