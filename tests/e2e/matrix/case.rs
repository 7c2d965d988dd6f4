//! The combinations, and which of them a run takes.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::fault::Fault;

pub const METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"];

/// More than `FETCH_REPLAY_BODY_BYTES`.
const BEYOND: usize = 200_000;

/// The request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    None,
    /// With its length.
    Small,
    /// In chunks.
    SmallChunked,
    /// More than the replay buffer takes.
    Beyond,
    BeyondChunked,
}

const BODIES: [Body; 5] = [
    Body::None,
    Body::Small,
    Body::SmallChunked,
    Body::Beyond,
    Body::BeyondChunked,
];

impl Body {
    pub fn length(self) -> usize {
        match self {
            Self::None => 0,
            Self::Small | Self::SmallChunked => 1_000,
            Self::Beyond | Self::BeyondChunked => BEYOND,
        }
    }

    pub fn is_chunked(self) -> bool {
        matches!(self, Self::SmallChunked | Self::BeyondChunked)
    }

    /// Whether all of it fits into the replay buffer.
    pub fn is_replayable(self) -> bool {
        self.length() < BEYOND
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Small => "small",
            Self::SmallChunked => "small-chunked",
            Self::Beyond => "beyond",
            Self::BeyondChunked => "beyond-chunked",
        }
    }
}

/// One combination.
#[derive(Clone, Debug)]
pub struct Case {
    pub fault: &'static Fault,
    pub method: &'static str,
    pub body: Body,
    /// By which the origins tell its requests from others.
    pub number: usize,
}

impl Case {
    /// Whether `FETCH_RETRY_METHODS` has its method.
    pub fn may_be_repeated(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS")
    }

    pub fn path(&self) -> String {
        format!("/{}/{}", self.fault.name, self.number)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}.",
            self.fault.name,
            self.method,
            self.body.name()
        )
    }
}

/// All combinations of these faults.
pub fn all(faults: &'static [Fault]) -> impl Iterator<Item = Case> {
    let each = faults.iter().flat_map(|fault| {
        METHODS
            .into_iter()
            .flat_map(move |method| BODIES.map(|body| (fault, method, body)))
    });
    each.enumerate()
        .map(|(number, (fault, method, body))| Case {
            fault,
            method,
            body,
            number,
        })
}

/// Which of them run.
pub enum Selection {
    All,
    /// Those with this in their name.
    Named(String),
    /// One in so many, always the same ones.
    Sample(u64),
}

impl Selection {
    /// By `FUNCTION_FETCH_MATRIX`, which `cargo xtask test --matrix` sets.
    pub fn asked_for(every: u64) -> Self {
        match std::env::var("FUNCTION_FETCH_MATRIX") {
            Ok(all) if all == "all" => Self::All,
            Ok(name) => Self::Named(name),
            Err(_) => Self::Sample(every),
        }
    }

    pub fn includes(&self, case: &Case) -> bool {
        match self {
            Self::All => true,
            Self::Named(name) => case.to_string().contains(name),
            Self::Sample(every) => {
                let mut hasher = DefaultHasher::new();
                case.to_string().hash(&mut hasher);
                hasher.finish().is_multiple_of(*every)
            }
        }
    }

    /// Whether it is more than some chosen ones.
    pub fn is_wide(&self) -> bool {
        !matches!(self, Self::Named(_))
    }
}
