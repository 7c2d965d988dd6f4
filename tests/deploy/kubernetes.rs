//! Kubernetes' own objects, checked with the types that are generated from its
//! API.

use crate::text;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Secret, Service};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The documents of a YAML file.
pub fn documents(path: &str) -> Vec<Value> {
    let text = text(path);
    serde_yaml_ng::Deserializer::from_str(&text)
        .map(|document| {
            Value::deserialize(document).unwrap_or_else(|error| panic!("{path}: {error}"))
        })
        .collect()
}

/// Parses an object as its kind. What the type does not know would be lost on
/// the way back.
fn read<T: DeserializeOwned + Serialize>(value: &Value) -> T {
    let object: T = serde_json::from_value(value.clone())
        .unwrap_or_else(|error| panic!("{}: {error}", value["kind"]));
    let back = serde_json::to_value(&object).expect("it was JSON");
    assert_eq!(&back, value, "a field that Kubernetes does not know");
    object
}

/// The secret with the runtime configuration: its name, and the file.
pub fn runtime_config() -> (String, String) {
    let [secret] = &documents("deploy/spinkube/runtime-config.yaml")[..] else {
        panic!("one document");
    };
    let secret: Secret = read(secret);
    let mut files = secret.string_data.expect("plain text");
    let file = files
        .remove("runtime-config.toml")
        .expect("the key that the shim mounts");
    assert!(files.is_empty());
    (secret.metadata.name.expect("a name"), file)
}

#[test]
fn the_redis_of_the_runtime_config_is_the_one_that_is_deployed() {
    let [service, deployment] = &documents("deploy/spinkube/redis.yaml")[..] else {
        panic!("a service and a deployment");
    };
    let service: Service = read(service);
    let deployment: Deployment = read(deployment);
    let spec = service.spec.expect("a spec");
    let ports = spec.ports.expect("ports");
    let url = format!(
        "redis://{}:{}",
        service.metadata.name.as_deref().expect("a name"),
        ports[0].port
    );
    assert!(runtime_config().1.contains(&format!("\"{url}\"")), "{url}");

    let pods = deployment.spec.expect("a spec").template;
    let labels = pods.metadata.and_then(|meta| meta.labels).expect("labels");
    let wanted = spec.selector.expect("a selector");
    assert!(
        wanted
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
    );
    let containers = pods.spec.expect("a spec").containers;
    let port = &containers[0].ports.as_ref().expect("ports")[0];
    assert_eq!(port.container_port, ports[0].port);
}

#[test]
fn the_autoscaler_scales_the_spin_apps_deployment() {
    let [scaler] = &documents("deploy/spinkube/autoscaler.yaml")[..] else {
        panic!("one document");
    };
    let scaler: HorizontalPodAutoscaler = read(scaler);
    let spec = scaler.spec.expect("a spec");
    let [app] = &documents("deploy/spinkube/spinapp.yaml")[..] else {
        panic!("one document");
    };
    // The operator gives the deployment the app's name.
    assert_eq!(app["metadata"]["name"], spec.scale_target_ref.name.as_str());
    assert_eq!(spec.scale_target_ref.kind, "Deployment");
    assert!(
        spec.min_replicas
            .is_some_and(|least| least >= 2 && least <= spec.max_replicas)
    );
    // Utilisation is measured against the request.
    assert!(app["spec"]["resources"]["requests"]["cpu"].is_string());
}
