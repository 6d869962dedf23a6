//! GeoJSON as nobody would write it, but anybody may: drawn from random bytes.

use arbtest::arbitrary::{Result, Unstructured};

type Random<'a, 'b> = &'a mut Unstructured<'b>;

/// A feature, a collection, or something else, with any white space in and around it.
pub(crate) fn document(u: Random<'_, '_>) -> Result<String> {
    Ok(format!("{}{}{}", space(u)?, item(u, 2)?, space(u)?))
}

fn item(u: Random<'_, '_>, depth: u8) -> Result<String> {
    match u.int_in_range(0..=9)? {
        0 => value(u, 2),
        1 => geometry(u, 1),
        2 | 3 if depth > 0 => {
            let features = list(u, 3, |u| item(u, depth - 1))?;
            object(u, "FeatureCollection", &[("features", features)])
        }
        _ => {
            let geometry = if u.ratio(1, 12)? { "null".into() } else { geometry(u, 2)? };
            let properties = value(u, 2)?;
            object(u, "Feature", &[("geometry", geometry), ("properties", properties)])
        }
    }
}

fn geometry(u: Random<'_, '_>, depth: u8) -> Result<String> {
    let (kind, coordinates) = match u.int_in_range(0..=7)? {
        0 => ("Point", position(u)?),
        1 => ("MultiPoint", line(u)?),
        2 => ("LineString", line(u)?),
        3 => ("MultiLineString", rings(u)?),
        4 => ("Polygon", rings(u)?),
        5 => ("MultiPolygon", list(u, 2, rings)?),
        6 if depth > 0 => {
            let geometries = list(u, 3, |u| geometry(u, depth - 1))?;
            return object(u, "GeometryCollection", &[("geometries", geometries)]);
        }
        _ => (*u.choose(&["Point", "Polygon", "Circle", ""])?, value(u, 2)?),
    };
    object(u, kind, &[("coordinates", coordinates)])
}

fn rings(u: Random<'_, '_>) -> Result<String> {
    list(u, 2, line)
}

fn line(u: Random<'_, '_>) -> Result<String> {
    list(u, 4, position)
}

fn position(u: Random<'_, '_>) -> Result<String> {
    if u.ratio(1, 200)? {
        return value(u, 1);
    }
    let height = if u.ratio(1, 6)? { format!(",{}", number(u)?) } else { String::new() };
    let (before, after) = (space(u)?, space(u)?);
    Ok(format!("[{before}{},{after}{}{height}{before}]", longitude(u)?, latitude(u)?))
}

fn longitude(u: Random<'_, '_>) -> Result<String> {
    if u.ratio(1, 8)? {
        return pick(u, &["-0", "1.8e2", "190", "7.50", "1E1", "-179.99999999999997"]);
    }
    Ok(decimal(u.int_in_range(-180_000_000..=180_000_000)?))
}

fn latitude(u: Random<'_, '_>) -> Result<String> {
    if u.ratio(1, 40)? {
        return pick(u, &["91", "-90.00001", "1e400", "90", "-90", "1e300"]);
    }
    Ok(decimal(u.int_in_range(-85_000_000..=85_000_000)?))
}

/// Millionths, with the zeros at the end.
fn decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    format!("{sign}{}.{:06}", millionths.abs() / 1_000_000, millionths.abs() % 1_000_000)
}

/// An object in which its own members come last, because the last of two with one name counts.
fn object(u: Random<'_, '_>, kind: &str, own: &[(&str, String)]) -> Result<String> {
    let mut first = Vec::new();
    for _ in 0..u.int_in_range(0..=2)? {
        let names = ["id", "crs", "bbox", "type", "geometry", "coordinates", "features", "é", ""];
        let name = pick(u, &names)?;
        let value = value(u, 2)?;
        first.push(member(u, &name, &value)?);
    }
    let mut last = vec![member(u, "type", &format!("\"{kind}\""))?];
    for (name, value) in own {
        last.push(member(u, name, value)?);
    }
    if u.ratio(1, 3)? {
        let numbers = u.choose(&[4, 4, 4, 6, 3])?;
        let numbers = (0..*numbers).map(|_| number(u)).collect::<Result<Vec<_>>>()?;
        last.push(member(u, "bbox", &format!("[{}]", numbers.join(", ")))?);
    }
    let rotation = u.choose_index(last.len())?;
    last.rotate_left(rotation);
    first.append(&mut last);
    Ok(format!("{{{}{}{}}}", space(u)?, first.join(","), space(u)?))
}

fn member(u: Random<'_, '_>, name: &str, value: &str) -> Result<String> {
    let (before, after) = (space(u)?, space(u)?);
    // Names may be written with escapes, which mean the same.
    let name = match name.split_at_checked(1) {
        Some((first, rest)) if u.ratio(1, 20)? => {
            format!("\\u{:04x}{rest}", first.as_bytes().first().copied().unwrap_or_default())
        }
        _ => name.into(),
    };
    Ok(format!("{before}\"{name}\"{after}:{value}"))
}

/// Any JSON.
fn value(u: Random<'_, '_>, depth: u8) -> Result<String> {
    match u.int_in_range(0..=if depth == 0 { 2 } else { 4 })? {
        0 => number(u),
        1 => string(u),
        2 => pick(u, &["true", "false", "null"]),
        3 => list(u, 3, |u| value(u, depth - 1)),
        _ => {
            let members = (0..u.int_in_range(0..=3)?).map(|_| {
                let name = pick(u, &["a", "type", "geometry", "coordinates", "bbox", "n"])?;
                let value = value(u, depth - 1)?;
                member(u, &name, &value)
            });
            Ok(format!("{{{}}}", members.collect::<Result<Vec<_>>>()?.join(",")))
        }
    }
}

fn number(u: Random<'_, '_>) -> Result<String> {
    const ODD: &[&str] = &[
        "0",
        "-0",
        "-0.0",
        "1.10",
        "1E+2",
        "1e-7",
        "12345678901234567890",
        "-9007199254740993",
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
        "5e-324",
    ];
    if u.ratio(1, 2)? { pick(u, ODD) } else { Ok(u.arbitrary::<i32>()?.to_string()) }
}

fn string(u: Random<'_, '_>) -> Result<String> {
    const ODD: &[&str] = &[
        r#""""#,
        r#""Z\u00fcrich""#,
        r#""]}\"{[,:""#,
        r#""\\""#,
        r#""\ud83d\ude82 \/ \n""#,
        r#""coordinates""#,
        "\"🚂 é\u{2028}\"",
        r#""Feature""#,
        r#""7.5""#,
    ];
    pick(u, ODD)
}

fn list(
    u: Random<'_, '_>,
    most: usize,
    make: impl Fn(Random<'_, '_>) -> Result<String>,
) -> Result<String> {
    let elements = (0..u.int_in_range(0..=most)?).map(|_| make(u)).collect::<Result<Vec<_>>>()?;
    let (before, between) = (space(u)?, space(u)?);
    Ok(format!("[{before}{}]", elements.join(&format!(",{between}"))))
}

fn space(u: Random<'_, '_>) -> Result<String> {
    pick(u, &["", "", "", "", " ", "\n", "\t ", "\r\n"])
}

fn pick(u: Random<'_, '_>, choices: &[&str]) -> Result<String> {
    u.choose(choices).map(|choice| (*choice).to_owned())
}
