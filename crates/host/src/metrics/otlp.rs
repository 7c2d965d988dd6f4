//! The metrics by OTLP over HTTP, to the collector that the standard variables of OpenTelemetry name.
//!
//! In its JSON form, which collectors take at the same address as the binary one: that would cost a compiler of protocol
//! buffers, and the SDK has no way in for counts that were added up elsewhere.

use super::Metrics;
use super::model::{Attributes, Histogram, Metric, Points};
use crate::error::one_line;
use crate::outbound::Outbound;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing::{info, warn};
use wasmtime_wasi_http::{RequestOptions, WasiBody};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const METRICS_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const METRICS_HEADERS: &str = "OTEL_EXPORTER_OTLP_METRICS_HEADERS";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const METRICS_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL";
const TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";
const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// The one form that is sent.
const JSON: &str = "http/json";

/// By OpenTelemetry's rule for exporters.
const AGENT: &str = concat!(
    "OTel-OTLP-Exporter-function-fetch/",
    env!("CARGO_PKG_VERSION")
);

/// Where the signal is below the general endpoint.
const SIGNAL_PATH: &str = "v1/metrics";

/// The most that is read of a collector's answer.
const ANSWER_BYTES: usize = 64 * 1024;

/// Where the metrics go, and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct OtlpConfig {
    endpoint: Uri,
    headers: HeaderMap,
    timeout: Duration,
    interval: Duration,
    resource: Vec<(String, String)>,
}

impl OtlpConfig {
    /// From the standard variables (`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin). None where no endpoint is set.
    ///
    /// # Errors
    ///
    /// A variable that cannot be used, and the remedy.
    pub fn from_environment(
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Option<Self>, String> {
        let given: BTreeMap<String, String> = environment
            .into_iter()
            .filter(|(name, value)| name.starts_with("OTEL_") && !value.trim().is_empty())
            .map(|(name, value)| (name, value.trim().to_owned()))
            .collect();
        let first = |names: [&'static str; 2]| {
            let found = |name: &'static str| Some((name, given.get(name)?.as_str()));
            names.into_iter().find_map(found)
        };
        if given
            .get(DISABLED)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
        {
            return Ok(None);
        }
        let Some((name, endpoint)) = first([METRICS_ENDPOINT, ENDPOINT]) else {
            return Ok(None);
        };
        if let Some((name, protocol)) = first([METRICS_PROTOCOL, PROTOCOL])
            && protocol != JSON
        {
            return Err(format!(
                "{name}: {protocol:?} is not supported; use {JSON}, which collectors take at the same address"
            ));
        }
        let url = match name {
            METRICS_ENDPOINT => endpoint.to_owned(),
            _ => format!("{}/{SIGNAL_PATH}", endpoint.trim_end_matches('/')),
        };
        let endpoint = url
            .parse::<Uri>()
            .ok()
            .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
            .ok_or_else(|| format!("{name}: {endpoint:?} is not an address; write one such as http://127.0.0.1:4318"))?;
        let mut headers = HeaderMap::new();
        if let Some((name, list)) = first([METRICS_HEADERS, HEADERS]) {
            for (key, value) in pairs(name, list)? {
                let header = HeaderName::try_from(key.as_str()).ok();
                let value = HeaderValue::try_from(value).ok();
                let (header, value) = header.zip(value).ok_or_else(|| {
                    format!("{name}: {key:?} is not a header with a value that can be sent")
                })?;
                headers.insert(header, value);
            }
        }
        let milliseconds = |name: &'static str, default: u64| match given.get(name) {
            None => Ok(Duration::from_millis(default)),
            Some(text) => match text.parse() {
                Ok(0) | Err(_) => Err(format!(
                    "{name}: {text:?} is not a number of milliseconds, at least 1"
                )),
                Ok(milliseconds) => Ok(Duration::from_millis(milliseconds)),
            },
        };
        let mut resource = match given.get(RESOURCE) {
            Some(list) => pairs(RESOURCE, list)?,
            None => Vec::new(),
        };
        if let Some(service) = given.get(SERVICE_NAME) {
            resource.retain(|(name, _)| name != "service.name");
            resource.push(("service.name".to_owned(), service.clone()));
        } else if resource.iter().all(|(name, _)| name != "service.name") {
            resource.push(("service.name".to_owned(), "function-fetch".to_owned()));
        }
        Ok(Some(Self {
            endpoint,
            headers,
            timeout: milliseconds(TIMEOUT, 10_000)?,
            interval: milliseconds(INTERVAL, 60_000)?,
            resource,
        }))
    }

    /// Where the metrics go.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.endpoint.to_string()
    }
}

/// `key=value,key=value`, percent-encoded (W3C Baggage without properties).
fn pairs(name: &str, list: &str) -> Result<Vec<(String, String)>, String> {
    let parts = list
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (key, value) = part
            .split_once('=')
            .filter(|(key, _)| !key.trim().is_empty())?;
        Some((key.trim().to_owned(), percent_decoded(value.trim())))
    };
    parts
        .map(|part| pair(part).ok_or_else(|| format!("{name}: {part:?} is not key=value")))
        .collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let encoded = others.first_chunk::<2>().filter(|_| *first == b'%');
        let code =
            encoded.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &others[2..] } else { others };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends the metrics at intervals until `ending` is ready, and then once more.
pub async fn export_otlp(
    config: OtlpConfig,
    outbound: Outbound,
    metrics: Arc<Metrics>,
    ending: impl Future<Output = ()>,
) {
    let started = SystemTime::now();
    let mut works = true;
    let mut ending = std::pin::pin!(ending);
    loop {
        let ended = tokio::select! {
            () = tokio::time::sleep(config.interval) => false,
            () = &mut ending => true,
        };
        let message = request(&metrics.collect(), &config.resource, started);
        let sent =
            match tokio::time::timeout(config.timeout, send(&config, &outbound, message)).await {
                Ok(sent) => sent,
                Err(_) => Err(format!("no answer within {:?}", config.timeout)),
            };
        // Reported once, until it works again: the next message has all of it.
        match sent {
            Err(reason) if works => {
                warn!(endpoint = %config.endpoint, reason = one_line(&reason), "the metrics cannot be exported");
                works = false;
            }
            Ok(()) if !works => {
                info!(endpoint = %config.endpoint, "the metrics are exported again");
                works = true;
            }
            _ => {}
        }
        if ended {
            return;
        }
    }
}

async fn send(config: &OtlpConfig, outbound: &Outbound, message: Vec<u8>) -> Result<(), String> {
    let body: WasiBody = Full::new(Bytes::from(message))
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut request = Request::post(config.endpoint.clone())
        .body(body)
        .map_err(|error| error.to_string())?;
    request.headers_mut().extend(config.headers.clone());
    request
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
        .headers_mut()
        .insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let response = outbound
        .send(request, RequestOptions::default())
        .await
        .map_err(|error| error.to_string())?;
    let status = response.status();
    // Read to its end, so that the connection is kept.
    let answer = Limited::new(response.into_body(), ANSWER_BYTES)
        .collect()
        .await;
    if status.is_success() {
        return Ok(());
    }
    let text = answer.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
    Err(format!(
        "the collector answers {status} {}",
        text.unwrap_or_default()
    ))
}

/// An `ExportMetricsServiceRequest`. Numbers of 64 bits are text in OTLP's JSON.
fn request(metrics: &[Metric], resource: &[(String, String)], started: SystemTime) -> Vec<u8> {
    let moment = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_nanos().to_string()
    };
    let times = (moment(started), moment(SystemTime::now()));
    let resource: Vec<Value> = resource
        .iter()
        .map(|(name, value)| text(name, value))
        .collect();
    let metrics: Vec<Value> = metrics.iter().map(|one| metric(one, &times)).collect();
    let message = json!({
        "resourceMetrics": [{
            "resource": { "attributes": resource },
            "scopeMetrics": [{
                "scope": { "name": "function-fetch", "version": env!("CARGO_PKG_VERSION") },
                "metrics": metrics,
            }],
        }],
    });
    message.to_string().into_bytes()
}

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u8 = 2;

fn metric(metric: &Metric, (start, now): &(String, String)) -> Value {
    let mut about = json!({
        "name": match metric.convention {
            Some(name) => name.to_owned(),
            None => format!("function_fetch.{}", metric.name),
        },
        "description": metric.help,
        "unit": metric.unit,
    });
    let (kind, data) = match &metric.points {
        Points::Counter(points) => {
            let points = each(
                points,
                |count| json!({ "startTimeUnixNano": start, "timeUnixNano": now, "asInt": count.to_string() }),
            );
            let data = json!({
                "dataPoints": points,
                "aggregationTemporality": CUMULATIVE,
                "isMonotonic": true,
            });
            ("sum", data)
        }
        Points::Gauge(points) => {
            let points = each(
                points,
                |value| json!({ "timeUnixNano": now, "asDouble": value }),
            );
            ("gauge", json!({ "dataPoints": points }))
        }
        Points::Histogram(points) => {
            let points = each(points, |times| {
                let counts: Vec<String> = times.counts().iter().map(u64::to_string).collect();
                json!({
                    "startTimeUnixNano": start,
                    "timeUnixNano": now,
                    "count": times.count().to_string(),
                    "sum": times.sum(),
                    "bucketCounts": counts,
                    "explicitBounds": Histogram::bounds().collect::<Vec<f64>>(),
                })
            });
            let data = json!({ "dataPoints": points, "aggregationTemporality": CUMULATIVE });
            ("histogram", data)
        }
    };
    about[kind] = data;
    about
}

fn each<T>(points: &[(Attributes, T)], of: impl Fn(&T) -> Value) -> Vec<Value> {
    let point = |(attributes, value): &(Attributes, T)| {
        let mut point = of(value);
        point["attributes"] = attributes.iter().map(attribute).collect();
        point
    };
    points.iter().map(point).collect()
}

/// The conventions have whole numbers where the text format has digits.
fn attribute((name, value): &(&'static str, String)) -> Value {
    match *name {
        "server.port" | "http.response.status_code" => {
            json!({ "key": name, "value": { "intValue": value } })
        }
        _ => text(name, value),
    }
}

fn text(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Option<OtlpConfig>, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        OtlpConfig::from_environment(given.iter().map(owned))
    }

    #[test]
    fn the_standard_variables_say_where_the_metrics_go() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(
            read(&[(ENDPOINT, "http://a:1"), (DISABLED, "true")]),
            Ok(None)
        );
        let config = read(&[
            (ENDPOINT, "http://a:4318/"),
            (HEADERS, "authorization=Bearer%20x, tenant=1"),
            (RESOURCE, "service.name=y,region=eu"),
            (SERVICE_NAME, "edge"),
            (INTERVAL, "500"),
        ]);
        let config = config.unwrap().unwrap();
        assert_eq!(config.endpoint(), "http://a:4318/v1/metrics");
        assert_eq!(config.headers["authorization"], "Bearer x");
        assert_eq!(config.headers["tenant"], "1");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            config.resource,
            [pair("region", "eu"), pair("service.name", "edge")]
        );
        assert_eq!(config.interval, Duration::from_millis(500));
        let own = read(&[(ENDPOINT, "http://a"), (METRICS_ENDPOINT, "https://b/x")]);
        assert_eq!(own.unwrap().unwrap().endpoint(), "https://b/x");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        const GOOD: (&str, &str) = (ENDPOINT, "http://a:4318");
        for given in [
            &[(ENDPOINT, "a:4318")][..],
            &[(METRICS_ENDPOINT, "ftp://a")],
            &[(PROTOCOL, "grpc"), GOOD],
            &[(HEADERS, "x"), GOOD],
            &[(INTERVAL, "0"), GOOD],
            &[(TIMEOUT, "soon"), GOOD],
        ] {
            let reason = read(given).unwrap_err();
            assert!(reason.starts_with(given[0].0), "{reason}");
        }
    }
}
