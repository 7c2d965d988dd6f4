//! What became of each request, for an access log.
//!
//! Which target answered, and at which attempt, only the component knows. It says so in the `Proxy-Status` of a response
//! (`FETCH_EXPLAIN`), which is switched on for the log, and taken out again unless the user has asked for it.

use http::header::{CONTENT_LENGTH, HeaderName, REFERER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// How the component's own members of the two fields begin.
const OURS: &[u8] = b"function-fetch;";

/// A request that is over: its response has been sent, or broken off.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Access {
    /// When its head had arrived.
    pub at: SystemTime,
    /// The client, by the connection.
    pub client: SocketAddr,
    /// Its method.
    pub method: Method,
    /// Its target as it came: mostly path and query.
    pub uri: String,
    /// The client's version of HTTP.
    pub version: Version,
    /// Its `Referer`, as it came.
    pub referer: Option<HeaderValue>,
    /// Its `User-Agent`, as it came.
    pub user_agent: Option<HeaderValue>,
    /// The status of the response. None: the client left before there was one.
    pub status: Option<StatusCode>,
    /// The bytes of the response's body that were sent.
    pub body_bytes: u64,
    /// Whether the response's body was sent to its end.
    pub complete: bool,
    /// The target that answered: host and port. None for a local reply.
    pub target: Option<String>,
    /// To how many targets it was sent until one answered.
    pub attempts: Option<u32>,
    /// Why the proxy itself replied: an error type of RFC 9209, such as `connection_refused`.
    pub error: Option<String>,
    /// From the request's head to the response's.
    pub until_head: Duration,
    /// From the request's head to the end of the response.
    pub total: Duration,
}

/// Called with each access, by the thread that served it, which waits meanwhile.
pub(crate) type Watcher = Arc<dyn Fn(&Access) + Send + Sync>;

/// The accesses of a server, when they are watched.
#[derive(Clone)]
pub(crate) struct Accesses {
    pub(crate) watcher: Watcher,
    /// Whether clients are to see the fields that the component adds for the log.
    pub(crate) explained: bool,
}

impl Accesses {
    /// A request that begins.
    pub(crate) fn begin<B>(&self, request: &Request<B>, client: SocketAddr) -> Pending {
        let headers = request.headers();
        Pending {
            accesses: self.clone(),
            started: Instant::now(),
            length: None,
            access: Access {
                at: SystemTime::now(),
                client: SocketAddr::new(client.ip().to_canonical(), client.port()),
                method: request.method().clone(),
                uri: request.uri().to_string(),
                version: request.version(),
                referer: headers.get(REFERER).cloned(),
                user_agent: headers.get(USER_AGENT).cloned(),
                status: None,
                body_bytes: 0,
                complete: false,
                target: None,
                attempts: None,
                error: None,
                until_head: Duration::ZERO,
                total: Duration::ZERO,
            },
        }
    }
}

/// A request under way. Reported when it is dropped.
pub(crate) struct Pending {
    accesses: Accesses,
    started: Instant,
    /// The length of the response's body, where it is known: nobody asks for more once that much was sent.
    length: Option<u64>,
    access: Access,
}

impl Pending {
    /// The head of the response is known.
    pub(crate) fn answered<B>(&mut self, response: &mut Response<B>) {
        self.access.until_head = self.started.elapsed();
        self.access.status = Some(response.status());
        let bodiless = self.access.method == Method::HEAD
            || matches!(
                response.status(),
                StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
            );
        self.length = if bodiless {
            Some(0)
        } else {
            let length = response.headers().get(CONTENT_LENGTH);
            length.and_then(|length| length.to_str().ok()?.parse().ok())
        };
        let is_ours = |value: &HeaderValue| value.as_bytes().starts_with(OURS);
        let headers = response.headers_mut();
        // The component's is the last one.
        let status = headers.get_all(PROXY_STATUS).iter().next_back();
        let Some(said) = status.filter(|value| is_ours(value)).cloned() else {
            return;
        };
        self.access.read(&said);
        let is_local = self.access.target.is_none();
        if !self.accesses.explained && !is_local {
            remove_last(headers, &PROXY_STATUS);
            let timing = headers.get_all(SERVER_TIMING).iter().next_back();
            if timing.is_some_and(is_ours) {
                remove_last(headers, &SERVER_TIMING);
            }
        }
    }

    /// So many bytes of the body were given to the client's connection.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.access.body_bytes += bytes as u64;
    }

    /// The body is over.
    pub(crate) fn completed(&mut self) {
        self.access.complete = true;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.access.total = self.started.elapsed();
        self.access.complete |= self.length == Some(self.access.body_bytes);
        (self.accesses.watcher)(&self.access);
    }
}

impl Access {
    /// Reads the component's member of `Proxy-Status`.
    fn read(&mut self, said: &HeaderValue) {
        let Ok(said) = said.to_str() else { return };
        for parameter in said.split("; ").skip(1) {
            match parameter.split_once('=') {
                Some(("next-hop", host)) => self.target = Some(host.trim_matches('"').to_owned()),
                Some(("error", error)) => self.error = Some(error.to_owned()),
                Some(("details", details)) => {
                    let attempt = details.trim_matches('"').strip_prefix("attempt ");
                    let digits = attempt.and_then(|rest| rest.split(',').next());
                    self.attempts = digits.and_then(|digits| digits.parse().ok());
                }
                _ => {}
            }
        }
    }
}

/// Removes the last field of a name.
fn remove_last(headers: &mut HeaderMap, name: &HeaderName) {
    let mut values: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    values.pop();
    headers.remove(name);
    for value in values {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_fetch_engine::headers::explain;
    use std::sync::Mutex;

    /// What is reported of a response, and the fields that its client sees.
    fn watched(explained: bool, fields: &[(&str, &str)]) -> (Access, HeaderMap) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let watcher = {
            let seen = seen.clone();
            Arc::new(move |access: &Access| seen.lock().unwrap().push(access.clone()))
        };
        let accesses = Accesses { watcher, explained };
        let request = Request::get("/a?b").header("user-agent", "x").body(());
        let client = "192.0.2.7:9".parse().unwrap();
        let mut pending = accesses.begin(&request.unwrap(), client);
        let mut response = Response::builder().status(200);
        for (name, value) in fields {
            response = response.header(*name, *value);
        }
        let mut response = response.body(()).unwrap();
        pending.answered(&mut response);
        pending.sent(3);
        pending.sent(4);
        pending.completed();
        drop(pending);
        let access = seen.lock().unwrap().pop().expect("reported when dropped");
        (access, response.headers().clone())
    }

    #[test]
    fn the_target_is_reported_and_hidden_from_clients_unless_they_are_to_see_it() {
        let said = explain("a.example:81", 200, 2, "probes");
        let fields = [
            ("proxy-status", "cdn.example; received-status=200"),
            ("proxy-status", said.as_str()),
            ("server-timing", "db;dur=1"),
            ("server-timing", "function-fetch;dur=2.0"),
        ];
        let (access, headers) = watched(false, &fields);
        assert_eq!(access.target.as_deref(), Some("a.example:81"));
        assert_eq!((access.attempts, access.error), (Some(2), None));
        assert_eq!((access.body_bytes, access.complete), (7, true));
        assert_eq!(access.uri, "/a?b");
        let values = |name: &str| {
            let values = headers.get_all(name).iter();
            values
                .map(|value| value.to_str().unwrap())
                .collect::<Vec<_>>()
        };
        // What the target sent itself stays.
        assert_eq!(values("proxy-status"), ["cdn.example; received-status=200"]);
        assert_eq!(values("server-timing"), ["db;dur=1"]);
        assert_eq!(watched(true, &fields).1.len(), 4);
    }

    #[test]
    fn a_response_is_complete_when_all_that_was_announced_was_sent() {
        let complete = |method: Method, length: &str, sent: usize| {
            let seen = Arc::new(Mutex::new(None));
            let watcher = {
                let seen = seen.clone();
                Arc::new(move |access: &Access| *seen.lock().unwrap() = Some(access.complete))
            };
            let accesses = Accesses {
                watcher,
                explained: false,
            };
            let request = Request::builder().method(method).body(()).unwrap();
            let mut pending = accesses.begin(&request, "192.0.2.7:9".parse().unwrap());
            let response = Response::builder().header("content-length", length);
            pending.answered(&mut response.body(()).unwrap());
            pending.sent(sent);
            drop(pending);
            seen.lock().unwrap().take()
        };
        assert_eq!(complete(Method::GET, "7", 7), Some(true));
        assert_eq!(complete(Method::GET, "7", 6), Some(false));
        assert_eq!(complete(Method::HEAD, "7", 0), Some(true));
    }

    #[test]
    fn a_local_reply_keeps_its_field_and_a_forged_one_says_nothing() {
        let said = "function-fetch; error=connection_refused";
        let (access, headers) = watched(false, &[("proxy-status", said)]);
        assert_eq!(access.error.as_deref(), Some("connection_refused"));
        assert_eq!((access.target, access.attempts), (None, None));
        assert_eq!(headers["proxy-status"], said);

        let forged = explain("evil.example", 200, 1, "probes");
        let ours = explain("a.example", 200, 1, "probes");
        let fields = [("proxy-status", &*forged), ("proxy-status", &*ours)];
        let (access, headers) = watched(false, &fields);
        assert_eq!(access.target.as_deref(), Some("a.example"));
        assert_eq!(headers["proxy-status"], forged);
    }
}
