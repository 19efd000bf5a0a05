use super::*;
use proptest::prelude::*;

mod oracle;
mod page;

/// A usual option: right, spot, moneyness, years, rate, carry, volatility.
fn usual() -> impl Strategy<Value = European> {
    let right = prop_oneof![Just(Right::Call), Just(Right::Put)];
    (right, 1.0..500.0_f64, -0.6..0.6_f64, 0.02..3.0_f64, -0.03..0.1_f64, -0.05..0.1_f64, 0.08..1.0_f64).prop_map(
        |(right, underlying, x, years, rate, carry, vol)| European {
            right,
            underlying,
            strike: underlying * libm::exp(x),
            years,
            rate,
            carry,
            vol,
        },
    )
}

fn american(o: &European) -> American {
    let European { right, underlying, strike, years, rate, carry, vol } = *o;
    American { right, underlying, strike, years, rate, carry, vol }
}

/// Columns that own their cells.
struct Owned {
    right: Vec<Right>,
    fields: [Vec<f64>; 6],
}

impl Owned {
    fn new(options: &[European]) -> Self {
        let field = |f: fn(&European) -> f64| options.iter().map(f).collect::<Vec<f64>>();
        Self {
            right: options.iter().map(|o| o.right).collect(),
            fields: [
                field(|o| o.underlying),
                field(|o| o.strike),
                field(|o| o.years),
                field(|o| o.rate),
                field(|o| o.carry),
                field(|o| o.vol),
            ],
        }
    }

    fn columns(&self) -> OptionColumns<'_> {
        let [underlying, strike, years, rate, carry, vol] = &self.fields;
        OptionColumns { right: &self.right, underlying, strike, years, rate, carry, vol }
    }
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

#[test]
fn outside_its_range_is_nan() {
    let good = European::on_spot(Right::Call, 100.0, 100.0, 1.0, 0.05, 0.0, 0.2);
    for bad in [
        European { underlying: 0.0, ..good },
        European { underlying: f64::INFINITY, ..good },
        European { strike: -1.0, ..good },
        European { years: -0.1, ..good },
        European { vol: -0.1, ..good },
        European { vol: f64::NAN, ..good },
        European { rate: f64::NAN, ..good },
    ] {
        assert!(bad.price().is_nan(), "{bad:?}");
        assert!(bad.cash_or_nothing().is_nan() && bad.asset_or_nothing().is_nan(), "{bad:?}");
        assert!(american(&bad).price(&AmericanScheme::fast()).is_nan(), "{bad:?}");
        assert!(Grid::new(50, 10).price(&american(&bad), Exercise::American, &[]).is_nan(), "{bad:?}");
    }
    let vol = |premium, forward, strike, years| implied_vol(Right::Call, premium, forward, strike, years);
    assert_eq!(vol(0.0, 90.0, 100.0, 1.0), 0.0);
    for (premium, forward, strike, years) in [
        (-1.0, 90.0, 100.0, 1.0),
        (90.0, 90.0, 100.0, 1.0),
        (9.9, 110.0, 100.0, 1.0),
        (5.0, 0.0, 100.0, 1.0),
        (5.0, 90.0, -1.0, 1.0),
        (5.0, 90.0, 100.0, 0.0),
        (f64::NAN, 90.0, 100.0, 1.0),
    ] {
        assert!(vol(premium, forward, strike, years).is_nan(), "{premium} {forward} {strike} {years}");
    }
    assert_eq!(implied_normal_vol(Right::Put, 0.0, 5.0, -5.0, 1.0), 0.0);
    assert!(implied_normal_vol(Right::Put, 4.0, 0.0, 5.0, 1.0).is_nan());
}

#[test]
fn limits() {
    let o = European {
        right: Right::Call,
        underlying: 110.0,
        strike: 100.0,
        years: 0.0,
        rate: 0.05,
        carry: 0.05,
        vol: 0.2,
    };
    let g = o.greeks();
    assert_eq!((g.price, g.delta, g.gamma, g.vega), (10.0, 1.0, 0.0, 0.0));
    let g = European { right: Right::Put, ..o }.greeks();
    assert_eq!((g.price, g.delta), (0.0, 0.0));
    // Without a bound on volatility a call is worth the share, a put the discounted strike.
    let endless = European { years: 1.0, vol: f64::INFINITY, ..o };
    assert_eq!(endless.price(), 110.0);
    assert!((European { right: Right::Put, ..endless }.price() - 100.0 * libm::exp(-0.05)).abs() < 1e-13);
    // No rate, no early exercise of a put; a call without dividends neither.
    let put = European { right: Right::Put, years: 1.0, rate: 0.0, carry: 0.0, ..o };
    assert!((american(&put).price(&AmericanScheme::fast()) - put.price()).abs() < 1e-13);
    let call = European { years: 1.0, ..o };
    assert!((american(&call).price(&AmericanScheme::fast()) - call.price()).abs() < 1e-13);
    // Negative rates with two boundaries are for the grid.
    let two = European { right: Right::Put, underlying: 90.0, years: 1.0, rate: -0.01, carry: 0.02, ..o };
    assert!(american(&two).price(&AmericanScheme::fast()).is_nan());
    assert!(Grid::new(200, 100).price(&american(&two), Exercise::American, &[]) >= two.price() - 1e-3);
}

/// Hull, "Options, futures, and other derivatives", 9th edition: example 15.6, call 4.76 and put 0.81.
#[test]
fn worked_examples() {
    let hull = European::on_spot(Right::Call, 42.0, 40.0, 0.5, 0.1, 0.0, 0.2);
    assert!((hull.price() - 4.76).abs() < 0.005);
    assert!((European { right: Right::Put, ..hull }.price() - 0.81).abs() < 0.005);
    // Haug (2007), section 1.1.3: Black 1976, a put of 1.7011 on a future at 19 with a strike of 19.
    let haug = European::on_future(Right::Put, 19.0, 19.0, 0.75, 0.1, 0.28);
    assert!((haug.price() - 1.7011).abs() < 5e-5);
    // Hull 15.9: dividends of 0.50 after two and five months, spot 40, rate 9 %: spot less 0.9742 (0.9741 there).
    let paid = [2.0, 5.0].map(|m| CashDividend { years: m / 12.0, amount: 0.5 });
    assert!((escrowed(40.0, 0.5, 0.09, &paid) - (40.0 - 0.9741)).abs() < 2e-4);
}

#[test]
fn columns_have_the_bits_of_single_calls() {
    // 321 usual options and the edges of their table.
    let text = include_str!("../../oracles/options_european.csv");
    let options: Vec<European> = oracle::table(text)
        .map(|(r, _)| {
            let v: Vec<f64> = r[2..9].iter().map(|x| oracle::number(x)).collect();
            let right = if v[0] > 0.0 { Right::Call } else { Right::Put };
            European { right, underlying: v[1], strike: v[2], years: v[3], rate: v[4], carry: v[5], vol: v[6] }
        })
        .collect();
    let owned = Owned::new(&options);
    let n = options.len();
    let mut out = vec![vec![0.0; n]; 6];
    let [price, delta, gamma, vega, theta, rho] = &mut out[..] else { unreachable!() };
    greeks(owned.columns(), &mut GreeksMut { price, delta, gamma, vega, theta, rho });
    for (i, o) in options.iter().enumerate() {
        let g = o.greeks();
        for (a, b) in [g.price, g.delta, g.gamma, g.vega, g.theta, g.rho].iter().zip(&out) {
            assert!(same(*a, b[i]), "{o:?}: {a} {}", b[i]);
        }
    }
    let mut alone = vec![0.0; n];
    prices(owned.columns(), &mut alone);
    assert!(alone.iter().zip(&out[0]).all(|(a, b)| same(*a, *b)));
    let scheme = AmericanScheme::fast();
    american_prices(&scheme, owned.columns(), &mut alone);
    for (o, a) in options.iter().zip(&alone) {
        assert!(same(american(o).price(&scheme), *a), "{o:?}: {a}");
    }
    let premium: Vec<f64> = options.iter().map(|o| o.price() * libm::exp(o.rate * o.years)).collect();
    let forward: Vec<f64> = options.iter().map(|o| o.underlying * libm::exp(o.carry * o.years)).collect();
    let (strike, years) = (&owned.fields[1], &owned.fields[2]);
    let columns = PremiumColumns { right: &owned.right, premium: &premium, forward: &forward, strike, years };
    implied_vols(columns, &mut alone);
    for i in 0..n {
        let one = implied_vol(owned.right[i], premium[i], forward[i], strike[i], years[i]);
        assert!(same(one, alone[i]), "{:?}: {one} {}", options[i], alone[i]);
    }
}

proptest! {
    #[test]
    fn put_call_parity(o in usual()) {
        let (call, put) = (European { right: Right::Call, ..o }, European { right: Right::Put, ..o });
        let p = parity(call.price(), put.price(), o.underlying, o.strike, o.years, o.rate, o.carry);
        prop_assert!(p.residual.abs() <= 4e-15 * (o.underlying + o.strike));
        prop_assert!((p.implied_forward / (o.underlying * libm::exp(o.carry * o.years)) - 1.0).abs() < 1e-13);
        prop_assert!((p.implied_carry - o.carry).abs() * o.years < 1e-13);
        let bond = libm::exp(-o.rate * o.years);
        prop_assert!((call.cash_or_nothing() + put.cash_or_nothing() - bond).abs() < 1e-15);
        // An option is an asset less a strike of cash.
        for v in [call, put] {
            let parts = v.right.sign() * (v.asset_or_nothing() - v.strike * v.cash_or_nothing());
            prop_assert!((v.price() - parts).abs() < 1e-13 * (v.underlying + v.strike));
            let k_side = v.right.sign() * v.greeks().rho / v.years;
            prop_assert!((k_side - v.strike * v.cash_or_nothing()).abs() < 1e-13 * v.strike);
        }
    }

    #[test]
    fn greeks_are_the_slopes(o in usual()) {
        let g = o.greeks();
        let near = |analytic: f64, up: f64, down: f64, h: f64, scale: f64| {
            ((up - down) / (2.0 * h) - analytic).abs() <= 2e-5 * (analytic.abs() + scale)
        };
        let s = o.underlying;
        let by = |f: &dyn Fn(f64) -> European, h: f64| (f(h).greeks(), f(-h).greeks());
        let h = 1e-4 * s * o.vol * o.years.sqrt();
        let (u, d) = by(&|x| European { underlying: s + x, ..o }, h);
        let sd = s * o.vol * o.years.sqrt();
        prop_assert!(near(g.delta, u.price, d.price, h, 1e-3));
        prop_assert!(near(g.gamma, u.delta, d.delta, h, 0.1 / sd));
        prop_assert!(near(g.speed, u.gamma, d.gamma, h, 0.1 / (sd * sd)));
        let h = 1e-4 * o.vol;
        let (u, d) = by(&|x| European { vol: o.vol + x, ..o }, h);
        let root = o.years.sqrt();
        prop_assert!(near(g.vega, u.price, d.price, h, 0.1 * s * root));
        prop_assert!(near(g.vanna, u.delta, d.delta, h, 1.0 / o.vol));
        prop_assert!(near(g.volga, u.vega, d.vega, h, s * root / o.vol));
        prop_assert!(near(g.zomma, u.gamma, d.gamma, h, 1.0 / (sd * o.vol)));
        let h = 1e-4 * o.years;
        let (u, d) = by(&|x| European { years: o.years - x, ..o }, h);
        prop_assert!(near(g.theta, u.price, d.price, h, 0.1 * s * o.vol / root));
        prop_assert!(near(g.charm, u.delta, d.delta, h, 1.0 / o.years));
        prop_assert!(near(g.color, u.gamma, d.gamma, h, 1.0 / (sd * o.years)));
        let h = 1e-5;
        let (u, d) = by(&|x| European { rate: o.rate + x, carry: o.carry + x, ..o }, h);
        prop_assert!(near(g.rho, u.price, d.price, h, 0.1 * s * o.years));
        let (u, d) = by(&|x| European { carry: o.carry + x, ..o }, h);
        prop_assert!(near(g.carry_rho, u.price, d.price, h, 0.1 * s * o.years));
        let (u, d) = by(&|x| European { rate: o.rate + x, ..o }, h);
        prop_assert!(near(g.discount_rho, u.price, d.price, h, 0.1 * s * o.years));
    }

    #[test]
    fn shape(o in usual(), scale in 0.01..100.0_f64, step in 0.001..0.2_f64) {
        let slack = 1e-12 * o.underlying;
        let p = |o: European| o.price();
        let bigger = European { underlying: o.underlying * scale, strike: o.strike * scale, ..o };
        prop_assert!((p(bigger) - scale * p(o)).abs() <= 1e-12 * scale * o.underlying);
        let wilder = European { vol: o.vol + step, ..o };
        prop_assert!(p(wilder) >= p(o) - slack);
        let (low, high) = (European { strike: o.strike * (1.0 - step), ..o }, European { strike: o.strike * (1.0 + step), ..o });
        prop_assert!(o.right.sign() * (p(low) - p(high)) >= -slack);
        prop_assert!(p(low) + p(high) - 2.0 * p(o) >= -slack, "convex in the strike");
        let discounted = libm::exp(-o.rate * o.years) * o.right.payoff(o.underlying * libm::exp(o.carry * o.years), o.strike);
        prop_assert!(p(o) >= discounted - slack);
    }

    #[test]
    fn implied_vol_undoes_the_price(o in usual()) {
        let forward = o.underlying * libm::exp(o.carry * o.years);
        let out = if o.strike > forward { Right::Call } else { Right::Put };
        let undiscounted = European { right: out, underlying: forward, rate: 0.0, carry: 0.0, ..o };
        // More than 37 standard deviations out of the money a premium is no longer a normal number.
        if undiscounted.price() > 1e-300 {
            let found = implied_vol(out, undiscounted.price(), forward, o.strike, o.years);
            prop_assert!((found - o.vol).abs() <= 1e-13, "{found}");
        }
        let normal = Bachelier { right: out, forward, strike: o.strike, years: o.years, vol: o.vol * forward };
        if normal.price() > 1e-300 {
            let found = implied_normal_vol(out, normal.price(), forward, o.strike, o.years);
            prop_assert!((found / normal.vol - 1.0).abs() <= 1e-13, "{found}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn american_ways_agree(o in usual()) {
        let rate = o.rate.abs() + 0.002;
        let o = European { rate, carry: rate - o.carry.abs(), ..o };
        let a = american(&o);
        let (fast, accurate) = (a.price(&AmericanScheme::fast()), a.price(&AmericanScheme::accurate()));
        let grid = Grid::new(600, 200).price(&a, Exercise::American, &[]);
        prop_assert!((fast - accurate).abs() <= 1e-4 * o.strike, "{fast} {accurate}");
        prop_assert!((grid - accurate).abs() <= 3e-4 * o.strike, "{grid} {accurate}");
        prop_assert!(accurate >= o.price() - 1e-9 * o.strike && accurate >= o.right.payoff(o.underlying, o.strike) - 1e-12);
        let other = American { right: if o.right == Right::Call { Right::Put } else { Right::Call }, ..a };
        let other = other.price(&AmericanScheme::accurate());
        let (call, put) = if o.right == Right::Call { (accurate, other) } else { (other, accurate) };
        let breach = american_parity_breach(call, put, o.underlying, o.strike, o.years, o.rate, o.carry);
        prop_assert!(breach.abs() <= 1e-6 * o.strike, "{breach}");
    }

    #[test]
    fn a_dividend_never_helps_a_call(o in usual(), amount in 0.0..2.0_f64) {
        let a = American { right: Right::Call, rate: o.rate.abs(), carry: o.rate.abs(), ..american(&o) };
        let amount = amount * 0.02 * o.underlying;
        let mut grid = Grid::new(200, 100);
        let paid = [CashDividend { years: 0.4 * o.years, amount }];
        let (without, with) = (grid.price(&a, Exercise::American, &[]), grid.price(&a, Exercise::American, &paid));
        let european = grid.price(&a, Exercise::European, &paid);
        let slack = 1e-3 * o.strike;
        prop_assert!(with <= without + slack && european <= with + slack);
        prop_assert!(with >= without - amount - slack);
    }
}
