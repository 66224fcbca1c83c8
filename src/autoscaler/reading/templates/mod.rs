//! Templates that hold manifests: CloudFormation, ARM and Terraform. Each is turned into the documents it comes to, parameters
//! by their defaults, which is said.

mod arm;
mod cloud_formation;
mod terraform;

use crate::schema::{Data, Node, Place, Problem, Table};

/// What a template comes to.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// The documents.
    pub documents: Vec<Node>,
    /// What was taken from elsewhere in the template, and where it is used.
    pub notes: Vec<(String, Place)>,
}

/// What a document comes to if it is a template; `None` if it is none.
///
/// # Errors
/// It is one that says how to make resources rather than which there are.
pub(crate) fn expand(document: &Node) -> Result<Option<Expanded>, Problem> {
    let forms = [cloud_formation::expand, arm::expand, terraform::expand];
    forms.iter().find_map(|form| form(document).transpose()).transpose()
}

/// The table of a node.
fn table_of(node: &Node) -> Option<&Table> {
    match &node.data {
        Data::Table(table) => Some(table),
        _ => None,
    }
}

/// The same node with `change` made to every value in it, from the inside out.
fn changed(node: &Node, change: &mut dyn FnMut(Node) -> Node) -> Node {
    let data = match &node.data {
        Data::Array(items) => Data::Array(items.iter().map(|item| changed(item, change)).collect()),
        Data::Table(table) => {
            let mut made = Table::EMPTY;
            for (name, _, value) in table.iter() {
                made.insert(name, changed(value, change));
            }
            Data::Table(made)
        }
        other => other.clone(),
    };
    change(Node { data, place: node.place.clone() })
}

/// A text at a place.
fn text(text: &str, place: &Place) -> Node {
    Node { data: Data::Text(text.to_owned()), place: place.clone() }
}

#[cfg(test)]
mod tests {
    use crate::autoscaler::manifest::translate;
    use crate::autoscaler::reading::Translation;
    use crate::document::Source;

    fn read(name: &str, text: &str) -> Result<Translation, String> {
        translate(&Source::new(name, text))
            .map_err(|problem| format!("{}: {}", problem.message, problem.label))
    }

    #[test]
    fn cloud_formation_is_read_with_the_defaults_of_its_parameters() {
        let text = "Parameters: {Max: {Type: Number, Default: 8}}\nResources:\n  T:\n    Type: AWS::ApplicationAutoScaling::ScalableTarget\n    Properties: {MinCapacity: 1, MaxCapacity: !Ref Max, ResourceId: !Sub \"a/${E}\"}\n  P:\n    Type: AWS::ApplicationAutoScaling::ScalingPolicy\n    Properties:\n      PolicyType: TargetTrackingScaling\n      ScalingTargetId: !Ref T\n      TargetTrackingScalingPolicyConfiguration: {TargetValue: 600, PredefinedMetricSpecification: {PredefinedMetricType: SageMakerVariantInvocationsPerInstance}}\n";
        let translation = read("a.yaml", text).unwrap();
        let json = translation.json();
        assert_eq!(
            (&json["min"], &json["max"], &json["policies"][0]["target"]),
            (&1.into(), &8.into(), &600.into())
        );
        assert!(
            translation.warnings().iter().any(|note| note.contains("parameter Max")),
            "{:?}",
            translation.warnings()
        );
    }

    #[test]
    fn terraform_is_read_as_hcl_json_and_plan_alike() {
        let hcl = "variable \"max\" { default = 10 }\nresource \"aws_appautoscaling_target\" \"t\" {\n  min_capacity = 2\n  max_capacity = var.max\n}\nresource \"aws_appautoscaling_policy\" \"p\" {\n  policy_type = \"TargetTrackingScaling\"\n  resource_id = aws_appautoscaling_target.t.resource_id\n  target_tracking_scaling_policy_configuration {\n    target_value = 300\n    scale_in_cooldown = 300\n    predefined_metric_specification { predefined_metric_type = \"SageMakerVariantInvocationsPerInstance\" }\n  }\n}\n";
        let json = r#"{"variable":{"max":{"default":10}},"resource":{"aws_appautoscaling_target":{"t":{"min_capacity":2,"max_capacity":"${var.max}"}},"aws_appautoscaling_policy":{"p":{"policy_type":"TargetTrackingScaling","resource_id":"${aws_appautoscaling_target.t.resource_id}","target_tracking_scaling_policy_configuration":[{"target_value":300,"scale_in_cooldown":300,"predefined_metric_specification":[{"predefined_metric_type":"SageMakerVariantInvocationsPerInstance"}]}]}}}}"#;
        let plan = r#"{"planned_values":{"root_module":{"resources":[{"type":"aws_appautoscaling_target","name":"t","values":{"min_capacity":2,"max_capacity":10,"resource_id":"e"}},{"type":"aws_appautoscaling_policy","name":"p","values":{"policy_type":"TargetTrackingScaling","resource_id":"e","target_tracking_scaling_policy_configuration":[{"target_value":300,"scale_in_cooldown":300,"predefined_metric_specification":[{"predefined_metric_type":"SageMakerVariantInvocationsPerInstance"}]}]}}]}}}"#;
        for (name, text) in [("main.tf", hcl), ("main.tf.json", json), ("plan.json", plan)] {
            let read = read(name, text).unwrap().json();
            let expected = serde_json::json!({ "min": 2, "max": 10, "policies": [{
                "type": "target_tracking", "metric": "invocations_per_instance", "target": 300, "scale_in_cooldown": "5m",
            }]});
            assert_eq!(read, expected, "{name}");
        }
        let counted = hcl.replace("min_capacity = 2", "count = 2\n  min_capacity = 2");
        assert!(read("main.tf", &counted).unwrap_err().contains("terraform show -json"));
    }

    #[test]
    fn arm_is_read_with_the_defaults_of_its_parameters() {
        let text = r#"{"parameters":{"max":{"type":"int","defaultValue":6}},"resources":[{"type":"Microsoft.Insights/autoscaleSettings","name":"a","properties":{"enabled":true,"profiles":[{"name":"d","capacity":{"minimum":"2","maximum":"[parameters('max')]","default":"2"},"rules":[{"metricTrigger":{"metricName":"CpuUtilizationPercentage","timeGrain":"PT1M","statistic":"Average","timeWindow":"PT5M","timeAggregation":"Average","operator":"GreaterThan","threshold":70},"scaleAction":{"direction":"Increase","type":"ChangeCount","value":"2","cooldown":"PT1M"}}]}]}}]}"#;
        let translation = read("a.json", text).unwrap();
        let json = translation.json();
        assert_eq!(
            (translation.kind, &json["max"], &json["rules"][0]["duration"]),
            ("azure_monitor", &6.into(), &"300s".into())
        );
    }
}
