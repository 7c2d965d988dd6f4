//! What happened, from the host to the engine.

use crate::{record, wit};
use function_fetch_engine::headers::{self, Fields};
use function_fetch_engine::{Event, Failure, Millis, ProbeOutcome, ReplayState, Timestamp, Waited};

/// Unless it names a target that is not there: of `targets` there are so many.
pub fn from_host(event: wit::Event, targets: usize, now: Timestamp) -> Option<Event> {
    let known = |target: u32| Some(target as usize).filter(|target| *target < targets);
    Some(match event {
        wit::Event::StoreRead(value) => Event::StoreRead(value.map(record::from_host)),
        wit::Event::StoreFailed => Event::StoreFailed,
        wit::Event::RoundReady => Event::RoundReady,
        wit::Event::Response(response) => Event::Response {
            target: known(response.target)?,
            status: response.status,
            retry_after: response
                .retry_after
                .as_deref()
                .and_then(|text| headers::parse_retry_after(text, now)),
            ttfb: Millis(response.ttfb),
            replay: replay(response.replay),
        },
        wit::Event::Failed(failed) => Event::Failed {
            target: known(failed.target)?,
            failure: failure(failed.failure),
            replay: replay(failed.replay),
        },
        wit::Event::Timer(waited) => Event::Timer(
            waited
                .into_iter()
                .map(|one| Waited {
                    target: one.target as usize,
                    time: Millis(one.time),
                })
                .collect(),
        ),
    })
}

fn replay(state: wit::ReplayState) -> ReplayState {
    match state {
        wit::ReplayState::Unsent => ReplayState::Unsent,
        wit::ReplayState::Replayable => ReplayState::Replayable,
        wit::ReplayState::Consumed => ReplayState::Consumed,
        wit::ReplayState::Aborted => ReplayState::Aborted,
    }
}

pub fn failure(failure: wit::Failure) -> Failure {
    use Failure as To;
    use wit::Failure as From;
    match failure {
        From::DnsError => To::DnsError,
        From::DestinationUnavailable => To::DestinationUnavailable,
        From::ConnectionRefused => To::ConnectionRefused,
        From::ConnectionTimeout => To::ConnectionTimeout,
        From::ConnectionLimitReached => To::ConnectionLimitReached,
        From::TlsProtocolError => To::TlsProtocolError,
        From::TlsCertificateError => To::TlsCertificateError,
        From::HttpRequestDenied => To::HttpRequestDenied,
        From::ConnectionTerminated => To::ConnectionTerminated,
        From::HttpResponseIncomplete => To::HttpResponseIncomplete,
        From::HttpProtocolError => To::HttpProtocolError,
        From::HttpRequestUriInvalid => To::HttpRequestUriInvalid,
        From::HttpRequestHeaderSectionSize => To::HttpRequestHeaderSectionSize,
        From::HttpRequestLengthRequired => To::HttpRequestLengthRequired,
        From::HttpResponseHeaderSectionSize => To::HttpResponseHeaderSectionSize,
        From::HttpResponseTransferCoding => To::HttpResponseTransferCoding,
        From::InternalError => To::InternalError,
        From::AttemptTimeout => To::AttemptTimeout,
        From::DeadlineExceeded => To::DeadlineExceeded,
        From::TargetLost => To::TargetLost,
    }
}

pub fn probe_outcome(result: wit::ProbeResult, took: Millis) -> ProbeOutcome {
    let (result, cached) = match result {
        wit::ProbeResult::Response(head) => (Ok(head.status), is_from_cache(head)),
        wit::ProbeResult::Failed(code) => (Err(failure(code)), false),
    };
    ProbeOutcome {
        result,
        took,
        cached,
    }
}

fn is_from_cache(head: wit::ProbeResponse) -> bool {
    let mut fields = Fields::new();
    for (name, value) in [
        ("age", head.age),
        ("x-cache", head.x_cache),
        ("cf-cache-status", head.cf_cache_status),
    ] {
        if let Some(value) = value {
            fields.push((name.to_owned(), value.into_bytes()));
        }
    }
    headers::is_from_cache(&fields)
}

/// For which of its three reasons the engine cancels an attempt.
pub fn cancelled_for(failure: Failure) -> wit::Failure {
    match failure {
        Failure::TargetLost => wit::Failure::TargetLost,
        Failure::DeadlineExceeded => wit::Failure::DeadlineExceeded,
        _ => wit::Failure::AttemptTimeout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_name() {
        use wit::Failure as F;
        let all = [
            F::DnsError,
            F::DestinationUnavailable,
            F::ConnectionRefused,
            F::ConnectionTimeout,
            F::ConnectionLimitReached,
            F::TlsProtocolError,
            F::TlsCertificateError,
            F::HttpRequestDenied,
            F::ConnectionTerminated,
            F::HttpResponseIncomplete,
            F::HttpProtocolError,
            F::HttpRequestUriInvalid,
            F::HttpRequestHeaderSectionSize,
            F::HttpRequestLengthRequired,
            F::HttpResponseHeaderSectionSize,
            F::HttpResponseTransferCoding,
            F::InternalError,
            F::AttemptTimeout,
            F::DeadlineExceeded,
            F::TargetLost,
        ];
        for given in all {
            assert_eq!(
                format!("{given:?}"),
                format!("Failure::{:?}", failure(given))
            );
        }
        for reason in [F::AttemptTimeout, F::DeadlineExceeded, F::TargetLost] {
            assert_eq!(cancelled_for(failure(reason)) as u8, reason as u8);
        }
    }

    #[test]
    fn each_field_of_a_probe_can_say_that_a_cache_sent_it() {
        let plain = || wit::ProbeResponse {
            status: 204,
            age: Some("0".to_owned()),
            x_cache: None,
            cf_cache_status: Some("MISS".to_owned()),
        };
        let outcome = |head| probe_outcome(wit::ProbeResult::Response(head), Millis(5.0));
        let fresh = outcome(plain());
        assert_eq!(
            (fresh.result, fresh.took, fresh.cached),
            (Ok(204), Millis(5.0), false)
        );
        let (one, hit) = (Some("1".to_owned()), Some("HIT".to_owned()));
        assert!(
            outcome(wit::ProbeResponse {
                age: one,
                ..plain()
            })
            .cached
        );
        assert!(
            outcome(wit::ProbeResponse {
                x_cache: hit.clone(),
                ..plain()
            })
            .cached
        );
        assert!(
            outcome(wit::ProbeResponse {
                cf_cache_status: hit,
                ..plain()
            })
            .cached
        );
        let failed = probe_outcome(
            wit::ProbeResult::Failed(wit::Failure::DnsError),
            Millis(1.0),
        );
        assert_eq!(
            (failed.result, failed.cached),
            (Err(Failure::DnsError), false)
        );
    }

    /// `wit/engine.wit` promises so of the first eight.
    #[test]
    fn what_sent_nothing_comes_first() {
        use function_fetch_engine::RetrySafety;
        let nothing = |given| failure(given).retry_safety() == RetrySafety::Always;
        assert!(nothing(wit::Failure::DnsError));
        assert!(nothing(wit::Failure::HttpRequestDenied));
        assert!(!nothing(wit::Failure::ConnectionTerminated));
        assert!(!nothing(wit::Failure::DeadlineExceeded));
    }
}
