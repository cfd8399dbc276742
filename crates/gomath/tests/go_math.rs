//! Results of Go's `math` package, bit for bit.
//!
//! `go_math.tsv` was printed by Go 1.26 on amd64: function, arguments, result, each the sixteen hexadecimal
//! digits of the float's bits or `NaN`. `GO_MATH_TABLE` names another table of the same form.

type Unary = fn(f64) -> f64;
type Binary = fn(f64, f64) -> f64;

const UNARY: &[(&str, Unary)] = &[
    ("exp", gomath::exp),
    ("ln", gomath::ln),
    ("log2", gomath::log2),
    ("log10", gomath::log10),
    ("sin", gomath::sin),
    ("cos", gomath::cos),
    ("tan", gomath::tan),
    ("asin", gomath::asin),
    ("acos", gomath::acos),
    ("atan", gomath::atan),
    ("sinh", gomath::sinh),
    ("cosh", gomath::cosh),
    ("tanh", gomath::tanh),
    ("asinh", gomath::asinh),
    ("acosh", gomath::acosh),
    ("atanh", gomath::atanh),
];
const BINARY: &[(&str, Binary)] =
    &[("pow", gomath::pow), ("atan2", gomath::atan2), ("max", gomath::max), ("min", gomath::min)];

#[test]
fn every_bit_is_go_s() {
    let table = match std::env::var("GO_MATH_TABLE") {
        Ok(path) => std::fs::read_to_string(path).expect("a table"),
        Err(_) => include_str!("go_math.tsv").to_string(),
    };
    let mut wrong = Vec::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (name, numbers) = (fields[0], fields[1..].iter().map(|text| parse(text)).collect::<Vec<_>>());
        let got = match numbers[..] {
            [x, _] => UNARY.iter().find(|(n, _)| *n == name).expect(name).1(x),
            [x, y, _] => BINARY.iter().find(|(n, _)| *n == name).expect(name).1(x, y),
            _ => panic!("{line}"),
        };
        let want = numbers[numbers.len() - 1];
        if got.to_bits() != want.to_bits() && !(got.is_nan() && want.is_nan()) {
            wrong.push(format!(
                "{name} of {:?}: got {got:e}, Go says {want:e}",
                &numbers[..numbers.len() - 1]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

fn parse(text: &str) -> f64 {
    if text == "NaN" {
        return f64::NAN;
    }
    f64::from_bits(u64::from_str_radix(text, 16).expect("hexadecimal digits"))
}
