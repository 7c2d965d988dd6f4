//! The text format of Prometheus.

use super::model::{Attributes, Histogram, Metric, Points};
use prometheus::proto::{self, Bucket, LabelPair, MetricFamily, MetricType};
use prometheus::{Encoder, TextEncoder};

/// Before each name.
const PREFIX: &str = "function_fetch_";

pub(super) fn text(metrics: &[Metric]) -> String {
    let families: Vec<MetricFamily> = metrics.iter().filter_map(family).collect();
    let mut text = Vec::new();
    // It fails only for a family without points or name, and those are left out.
    let _ = TextEncoder::new().encode(&families, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// The content type of the text.
pub(super) const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// None where there is no point yet.
fn family(metric: &Metric) -> Option<MetricFamily> {
    let (kind, total, points): (_, _, Vec<proto::Metric>) = match &metric.points {
        Points::Counter(points) => (
            MetricType::COUNTER,
            "_total",
            each(points, |point, value| {
                let mut counter = proto::Counter::default();
                counter.set_value(*value as f64);
                point.set_counter(counter);
            }),
        ),
        Points::Gauge(points) => (
            MetricType::GAUGE,
            "",
            each(points, |point, value| {
                let mut gauge = proto::Gauge::default();
                gauge.set_value(*value);
                point.set_gauge(gauge);
            }),
        ),
        Points::Histogram(points) => (
            MetricType::HISTOGRAM,
            "",
            each(points, |point, times| {
                point.set_histogram(histogram(times));
            }),
        ),
    };
    if points.is_empty() {
        return None;
    }
    let unit = if metric.unit == "s" { "_seconds" } else { "" };
    let mut family = MetricFamily::default();
    family.set_name(format!("{PREFIX}{}{unit}{total}", metric.name));
    family.set_help(metric.help.to_owned());
    family.set_field_type(kind);
    family.set_metric(points);
    Some(family)
}

fn each<T>(points: &[(Attributes, T)], set: impl Fn(&mut proto::Metric, &T)) -> Vec<proto::Metric> {
    let point = |(attributes, value): &(Attributes, T)| {
        let mut point = proto::Metric::from_label(attributes.iter().map(label).collect());
        set(&mut point, value);
        point
    };
    points.iter().map(point).collect()
}

fn label((name, value): &(&'static str, String)) -> LabelPair {
    let mut label = LabelPair::default();
    label.set_name(name.replace('.', "_"));
    label.set_value(value.clone());
    label
}

fn histogram(times: &Histogram) -> proto::Histogram {
    let mut sum = 0;
    // The bucket without a bound is added by the encoder.
    let buckets = Histogram::bounds()
        .zip(times.counts())
        .map(|(bound, count)| {
            sum += count;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(bound);
            bucket.set_cumulative_count(sum);
            bucket
        });
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(times.count());
    histogram.set_sample_sum(times.sum());
    histogram
}
