//! The comparison with mpmath, QuantLib and lets_be_rational: tables made by `scripts/oracles/options.py`.

use super::*;

/// What was compared, with whom, and the worst distance in its measure.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) what: String,
    pub(super) source: &'static str,
    pub(super) rows: usize,
    pub(super) error: f64,
    pub(super) at: String,
}

#[derive(Default)]
struct Worst(Vec<Compared>);

impl Worst {
    fn note(&mut self, what: &str, source: &'static str, error: f64, at: &str) {
        let error = if error.is_nan() { f64::INFINITY } else { error };
        match self.0.iter_mut().find(|c| c.what == what && c.source == source) {
            Some(c) => {
                c.rows += 1;
                if error > c.error {
                    (c.error, c.at) = (error, at.to_owned());
                }
            }
            None => self.0.push(Compared { what: what.to_owned(), source, rows: 1, error, at: at.to_owned() }),
        }
    }
}

pub(super) fn table(text: &str) -> impl Iterator<Item = (Vec<&str>, &str)> {
    text.lines().skip(1).map(|l| (l.split(',').collect(), l))
}

pub(super) fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn right(text: &str) -> Right {
    if number(text) > 0.0 { Right::Call } else { Right::Put }
}

const GREEKS: [&str; 14] = [
    "price",
    "delta",
    "gamma",
    "vega",
    "theta",
    "rho",
    "carry_rho",
    "discount_rho",
    "vanna",
    "volga",
    "charm",
    "speed",
    "zomma",
    "color",
];

pub(super) fn all(g: &Greeks) -> [f64; 14] {
    [
        g.price,
        g.delta,
        g.gamma,
        g.vega,
        g.theta,
        g.rho,
        g.carry_rho,
        g.discount_rho,
        g.vanna,
        g.volga,
        g.charm,
        g.speed,
        g.zomma,
        g.color,
    ]
}

fn european(worst: &mut Worst) {
    for (r, line) in table(include_str!("../../../oracles/options_european.csv")) {
        let v: Vec<f64> = r[2..9].iter().map(|x| number(x)).collect();
        let o = European {
            right: right(r[2]),
            underlying: v[1],
            strike: v[2],
            years: v[3],
            rate: v[4],
            carry: v[5],
            vol: v[6],
        };
        let source = if r[1] == "quantlib" { "QuantLib" } else { "mpmath" };
        let ours = all(&o.greeks());
        for ((name, ours), expected) in GREEKS.iter().zip(ours).zip(&r[9..]) {
            if expected.is_empty() {
                continue;
            }
            let expected = number(expected);
            let error = if ours == expected { 0.0 } else { ((ours - expected) / expected).abs() };
            if r[0] == "usual" {
                // Near a zero of the Greek: against its own size elsewhere, in units of the option.
                let scale = natural(name, &o);
                worst.note(name, source, (ours - expected).abs() / expected.abs().max(scale), line);
            } else if *name == "price" && expected.abs() > 1e-300 {
                worst.note(&format!("price, {}", r[0]), source, error, line);
            } else if expected.abs() > 1e-290 && expected.abs() < 1e290 {
                let scale = natural(name, &o);
                let error = (ours - expected).abs() / expected.abs().max(scale);
                worst.note(&format!("{name}, {}", r[0]), source, error, line);
            }
        }
    }
}

/// A thousandth of the size of a Greek at the money.
fn natural(name: &str, o: &European) -> f64 {
    let (s, v, t) = (o.underlying, o.vol.max(1e-8), o.years.max(1e-8));
    let sd = v * t.sqrt();
    1e-3 * match name {
        "price" => s * 1e-9,
        "delta" => 1e-9,
        "gamma" => 0.4 / (s * sd),
        "vega" => 0.4 * s * t.sqrt(),
        "theta" => 0.4 * s * v / t.sqrt(),
        "rho" | "carry_rho" | "discount_rho" => s * t,
        "vanna" => 0.4 / v,
        "volga" => s * t.sqrt() / v,
        "charm" => 1.0 / t / sd,
        "speed" => 1.0 / (s * s * sd * sd),
        "zomma" => 1.0 / (s * sd * v),
        _ => 1.0 / (s * sd * t) / sd.min(1.0),
    }
}

fn implied(worst: &mut Worst) {
    for (r, line) in table(include_str!("../../../oracles/options_implied.csv")) {
        let v: Vec<f64> = r[1..].iter().map(|x| number(x)).collect();
        let ours = implied_vol(right(r[1]), v[1], v[2], v[3], v[4]);
        let (high, low) = (v[5], v[6]);
        let error = ((ours - high) - low).abs();
        // What a rounding of the inputs moves the answer by is not an error of the method.
        let determined = v[7] * f64::EPSILON;
        worst.note(&format!("implied_vol, {}", r[0]), "mpmath", error / high, line);
        worst.note(
            &format!("implied_vol, {}, in roundings of the premium", r[0]),
            "mpmath",
            error / (determined + high * f64::EPSILON),
            line,
        );
        let peer = (v[8] - high - low).abs();
        worst.note(&format!("(lets_be_rational itself, {})", r[0]), "mpmath", peer / high, line);
    }
}

fn american(worst: &mut Worst) {
    let (fast, accurate, mut grid) = (AmericanScheme::fast(), AmericanScheme::accurate(), Grid::new(800, 400));
    for (n, (r, line)) in table(include_str!("../../../oracles/options_american.csv")).enumerate() {
        let v: Vec<f64> = r.iter().map(|x| number(x)).collect();
        let o = American {
            right: right(r[0]),
            underlying: v[1],
            strike: v[2],
            years: v[3],
            rate: v[4],
            carry: v[4] - v[5],
            vol: v[6],
        };
        let error = |x: f64| (x - v[7]).abs() / v[2];
        worst.note("American, fast", "QuantLib", error(o.price(&fast)), line);
        worst.note("American, accurate", "QuantLib", error(o.price(&accurate)), line);
        worst.note("(QuantLib's own fast scheme)", "QuantLib", error(v[8]), line);
        if n % 4 == 0 {
            worst.note("American, Grid 800 × 400", "QuantLib", error(grid.price(&o, Exercise::American, &[])), line);
        }
    }
    for (r, line) in table(include_str!("../../../oracles/options_dividends.csv")) {
        let v: Vec<f64> = r[..6].iter().map(|x| number(x)).collect();
        let o = American {
            right: right(r[0]),
            underlying: v[1],
            strike: v[2],
            years: v[3],
            rate: v[4],
            carry: v[4],
            vol: v[5],
        };
        let paid: Vec<CashDividend> = r[7]
            .split(';')
            .map(|d| d.split_once(':').map(|(t, c)| CashDividend { years: number(t), amount: number(c) }).unwrap())
            .collect();
        let exercise = if r[6] == "1" { Exercise::American } else { Exercise::European };
        let error = (grid.price(&o, exercise, &paid) - number(r[8])).abs() / v[2];
        worst.note("cash dividends, Grid 800 × 400", "QuantLib", error, line);
    }
}

fn bachelier(worst: &mut Worst) {
    for (r, line) in table(include_str!("../../../oracles/options_bachelier.csv")) {
        let v: Vec<f64> = r.iter().map(|x| number(x)).collect();
        let o = Bachelier { right: right(r[0]), forward: v[1], strike: v[2], years: v[3], vol: v[4] };
        let g = o.greeks();
        for (name, ours, expected) in
            [("price", g.price, v[5]), ("delta", g.delta, v[6]), ("gamma", g.gamma, v[7]), ("vega", g.vega, v[8])]
        {
            worst.note(&format!("Bachelier, {name}"), "mpmath", ((ours - expected) / expected).abs(), line);
        }
        let found = implied_normal_vol(o.right, v[5], v[1], v[2], v[3]);
        // What a rounding of the premium moves the volatility by.
        let determined = v[5] / v[8] * f64::EPSILON;
        let error = (found - v[4]).abs() / (determined + v[4] * f64::EPSILON);
        worst.note("implied_normal_vol, in roundings of the premium", "mpmath", error, line);
    }
}

/// All comparisons.
pub(super) fn compare() -> Vec<Compared> {
    let mut worst = Worst::default();
    european(&mut worst);
    implied(&mut worst);
    bachelier(&mut worst);
    american(&mut worst);
    worst.0
}
