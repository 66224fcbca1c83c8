//! What Terraform calls the fields of AWS: messages have the names that stand in the file.

/// A text in which names of the interface, where they stand between backticks, are those of Terraform.
pub(in crate::autoscaler) fn own_names(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(index, part)| match index % 2 {
        1 => part.split('.').map(own_name).collect::<Vec<_>>().join("."),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}

/// What Terraform calls a field of the interface: `TargetValue` is `target_value`. Any other name stays as it is.
pub(in crate::autoscaler) fn own_name(name: &str) -> String {
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) || !name.chars().all(|c| c.is_ascii_alphanumeric())
    {
        return name.to_owned();
    }
    let letters: Vec<char> = name.chars().collect();
    let begins = |at: usize| {
        let is_lower = |at: usize| letters.get(at).is_some_and(char::is_ascii_lowercase);
        at > 0 && letters[at].is_ascii_uppercase() && (is_lower(at - 1) || is_lower(at + 1))
    };
    let mut own = String::new();
    for (at, letter) in letters.iter().enumerate() {
        own.extend(begins(at).then_some('_'));
        own.push(letter.to_ascii_lowercase());
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_between_backticks_are_those_of_the_file_and_values_stay() {
        for (ours, theirs) in [
            (
                "`MaxCapacty` is no field that is known: did you mean `MaxCapacity`?",
                "`max_capacty` is no field that is known: did you mean `max_capacity`?",
            ),
            ("`Config.PolicyARN` is \"SageMakerVariant\"", "`config.policy_arn` is \"SageMakerVariant\""),
            ("`autoscaler.max` is missing", "`autoscaler.max` is missing"),
        ] {
            assert_eq!(own_names(ours), theirs);
        }
    }
}
