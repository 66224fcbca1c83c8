//! `behavior` of an HPA, which KEDA's ScaledObjects hold too.

use super::{Codec, Field, Fields, Translation};
use crate::schema::{Data, Problem, Table};

const RULES: &[Field] = &[
    Field::new("stabilizationWindowSeconds", "stabilization_window", Codec::WholeSeconds),
    Field::new(
        "selectPolicy",
        "select_policy",
        Codec::AnyCase(&[("Max", "max"), ("Min", "min"), ("Disabled", "disabled")]),
    ),
    Field::new("tolerance", "tolerance", Codec::QuantityNumber),
];
const POLICY: &[Field] = &[
    Field::new("type", "type", Codec::AnyCase(&[("Pods", "pods"), ("Percent", "percent")])),
    Field::new("value", "value", Codec::Count),
    Field::new("periodSeconds", "period", Codec::WholeSeconds),
];

/// Reads the object as `behavior`. None at all is not the same as an empty one.
///
/// # Errors
/// A field is not written as it has to be.
pub(crate) fn read(behavior: &Fields<'_>, into: &mut Translation) -> Result<(), Problem> {
    if !behavior.is_absent() {
        into.set("behavior".into(), Data::Table(Table::EMPTY), behavior.place());
    }
    for (field, key) in [("scaleUp", "behavior.scale_up"), ("scaleDown", "behavior.scale_down")] {
        let rules = behavior.object(field)?;
        if !rules.is_absent() {
            into.set(key.into(), Data::Table(Table::EMPTY), rules.place());
        }
        rules.read(RULES, key, into)?;
        for (index, policy) in rules.objects("policies")?.iter().enumerate() {
            let key = format!("{key}.policies.{index}");
            into.set(key.clone(), Data::Table(Table::EMPTY), policy.place());
            policy.read(POLICY, &key, into)?;
            policy.finish(into);
        }
        rules.finish(into);
    }
    behavior.finish(into);
    Ok(())
}
