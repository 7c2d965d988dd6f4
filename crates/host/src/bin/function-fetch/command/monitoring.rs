//! Where the metrics of `serve` go: to whoever scrapes them, and to a collector.

use crate::cli::ServeArgs;
use crate::environment;
use anyhow::Context;
use function_fetch_host::{
    Metrics, OtlpConfig, Outbound, OutboundHttpConfig, export_otlp, serve_metrics,
};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::info;

/// What was asked for, not started yet.
pub struct Monitoring {
    metrics: Arc<Metrics>,
    listener: Option<TcpListener>,
    collector: Option<(OtlpConfig, Outbound)>,
}

/// The export that runs, if any.
pub struct Exporting(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

impl Monitoring {
    /// None if nobody wants metrics.
    pub async fn of(args: &ServeArgs) -> anyhow::Result<Option<Self>> {
        let listener = match &args.metrics_listen {
            Some(address) => Some(TcpListener::bind(address).await.with_context(|| {
                format!("--metrics-listen: cannot listen on {address}; choose an address of this machine whose port is free")
            })?),
            None => None,
        };
        let config =
            OtlpConfig::from_environment(environment::utf8()).map_err(anyhow::Error::msg)?;
        let collector = match config {
            Some(config) => {
                let outbound = Outbound::new(&OutboundHttpConfig::default(), &args.ca_files)
                    .map_err(|error| {
                        anyhow::anyhow!("--ca-file: {error}; give a PEM file of certificates")
                    })?;
                Some((config, outbound))
            }
            None => None,
        };
        Ok((listener.is_some() || collector.is_some()).then(|| Self {
            metrics: Arc::default(),
            listener,
            collector,
        }))
    }

    pub fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }

    /// Starts it on the runtime of the caller.
    pub fn start(self) -> Exporting {
        if let Some(listener) = self.listener {
            if let Ok(address) = listener.local_addr() {
                info!("metrics at http://{address}/metrics");
            }
            tokio::spawn(serve_metrics(listener, self.metrics.clone()));
        }
        let Some((config, outbound)) = self.collector else {
            return Exporting(None);
        };
        info!("metrics go to {}", config.endpoint());
        let (end, ended) = oneshot::channel();
        let ending = async {
            let _ = ended.await;
        };
        let exporting = tokio::spawn(export_otlp(config, outbound, self.metrics, ending));
        Exporting(Some((end, exporting)))
    }
}

impl Exporting {
    /// Sends what came last.
    pub async fn end(self) {
        if let Some((end, exporting)) = self.0 {
            drop(end);
            // It has a time-out of its own.
            let _ = exporting.await;
        }
    }
}
