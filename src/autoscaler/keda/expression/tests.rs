use super::*;

fn value(formula: &str, values: &[(&str, f64)]) -> f64 {
    let of = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    Expression::parse(formula).unwrap().value(of).unwrap()
}

/// The formulas of KEDA's documentation and of public files, with what expr makes of them.
/// A formula, the values of its names, and what it comes to.
type Case = (&'static str, &'static [(&'static str, f64)], f64);

#[test]
fn formulas_as_they_are_used_come_to_what_expr_makes_of_them() {
    let cases: &[Case] = &[
        ("(a + b)/2", &[("a", 10.0), ("b", 5.0)], 7.5),
        ("a > 2 ? a + b : 1", &[("a", 3.0), ("b", 5.0)], 8.0),
        ("count([a,b,c],{#>1}) > 1 ? 5 : 0", &[("a", 2.0), ("b", 3.0), ("c", 0.0)], 5.0),
        ("a < 2 ? a+b >= 2 ? 5 : 10 : 0", &[("a", 1.0), ("b", 0.5)], 10.0),
        ("max(ratio, qlen/1000)", &[("ratio", 1.1), ("qlen", 1500.0)], 1.5),
        ("running + (waiting * 10)", &[("running", 20.0), ("waiting", 3.0)], 50.0),
        ("max([a, b]) > 0 ? max([a, b]) : p", &[("a", 0.0), ("b", 0.0), ("p", 7.0)], 7.0),
        ("best ?? slower ?? 8", &[("best", 4.0), ("slower", 9.0)], 4.0),
        ("float(a ** 2 - -1)", &[("a", 3.0)], 10.0),
        ("-a ** 2", &[("a", 3.0)], -9.0),
        ("2 ** 3 ** 2", &[], 512.0),
        ("a - b - 1", &[("a", 10.0), ("b", 3.0)], 6.0),
        ("!(a > 1) or a == 2 and b != 1 ? 1e2 : .5", &[("a", 2.0), ("b", 0.0)], 100.0),
        ("sum([a, b]) + mean([a, b]) + min(a, b) + median([a, b, 9])", &[("a", 2.0), ("b", 4.0)], 15.0),
        ("ceil(a) + floor(a) + round(a) + int(a) + abs(-a)", &[("a", 2.5)], 12.5),
    ];
    for (formula, values, expected) in cases {
        assert_eq!(value(formula, values), *expected, "{formula}");
    }
}

#[test]
fn what_is_no_number_or_not_read_is_said() {
    for (formula, why) in [
        ("", "ends where"),
        ("a *", "ends where"),
        ("a b", "`b` is not simulated"),
        ("a > 1", "true or false, not a number"),
        ("[a, b]", "a list, not a number"),
        ("a > 1 ? a : b > 1", "what follows `:` is true or false, not a number"),
        ("a && b ? 1 : 0", "a side of `&&` is a number"),
        ("(a > 1) + 1", "a side of `+` is true or false"),
        ("# + 1", "within the braces"),
        ("max()", "of nothing"),
        ("abs(a, b)", "takes one value"),
        ("filter([a], {# > 1})", "`filter` is not simulated"),
        ("a % 2", "`%` is not simulated"),
        ("if a > 1 { 2 } else { 3 }", "`if` is not simulated"),
        ("1..5", "no number"),
        ("a ? 1 : 2", "the condition before `?` is a number"),
    ] {
        let refused = Expression::parse(formula).unwrap_err();
        assert!(refused.contains(why), "{formula}: {refused}");
    }
    for deep in ["(", "-", "a ? ", "[", "max("] {
        assert!(Expression::parse(&deep.repeat(5000)).unwrap_err().contains("too deeply"), "{deep}");
    }
}

#[test]
fn names_are_replaced_where_they_stand() {
    let formula = Expression::parse("gpu > 80 ? gpu : max(q, gpu)").unwrap();
    assert_eq!(formula.names().collect::<Vec<_>>(), ["gpu", "gpu", "q", "gpu"]);
    let written = formula.with_names(|name| match name {
        "gpu" => Ok("(utilization * 100)".into()),
        _ => Ok("queue_length".into()),
    });
    assert_eq!(
        written.unwrap(),
        "(utilization * 100) > 80 ? (utilization * 100) : max(queue_length, (utilization * 100))"
    );
    assert_eq!(formula.value(|name| (name == "gpu").then_some(1.0)), None, "a name without a value");
}

#[test]
fn a_name_without_a_value_is_nil_which_an_else_takes_the_other_side_of() {
    let of = |formula: &str| {
        let known = |name: &str| (name == "a").then_some(4.0);
        Expression::parse(formula).unwrap().value_with_nil(known)
    };
    assert_eq!(of("nil1 ?? a ?? 8"), Ok(4.0));
    assert_eq!(of("nil1 ?? nil2 ?? 8"), Ok(8.0));
    assert_eq!(of("nil1 ?? nil2"), Err(NoNumber::Nil));
    assert_eq!(of("a > 2 ? nil1 : a"), Err(NoNumber::Nil));
    assert_eq!(of("a > 2 ? a : nil1"), Ok(4.0));
    assert_eq!(of("max(a, nil1)"), Err(NoNumber::OfNil));
    assert_eq!(of("nil1 + 1 ?? a"), Err(NoNumber::OfNil));
    assert_eq!(of("(nil1 ?? 2) + a"), Ok(6.0));
}
