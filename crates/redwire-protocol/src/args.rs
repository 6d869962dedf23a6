use crate::error::{Error, quoted};
use crate::usage::Usage;

/// How many words an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Exactly one: `name`.
    Required,
    /// None or one: `[name]`, an `Option<T>`.
    Optional,
    /// Any number, at least one: `name...`, a `Vec<T>`.
    OneOrMore,
    /// Any number: `[name...]`, a `Vec<T>`.
    ZeroOrMore,
    /// Every `name=value` that has no place of its own: `[name=value...]`, [`Parameters`].
    Named,
}

impl Shape {
    pub(crate) fn is_many(self) -> bool {
        matches!(self, Self::OneOrMore | Self::ZeroOrMore)
    }
}

/// One value read from a command's words.
///
/// Implemented for `String`, the number types (floats must be finite), `Option<T>` for `[name]`
/// and `Vec<T>` for `name...`. Implement [`from_word`](Self::from_word) for a type of your own:
///
/// ```
/// use redwire_protocol::Argument;
///
/// enum Direction { Up, Down }
///
/// impl Argument for Direction {
///     fn from_word(word: &str) -> Result<Self, String> {
///         match word {
///             "up" => Ok(Self::Up),
///             "down" => Ok(Self::Down),
///             _ => Err("expected `up` or `down`".into()),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a command's words",
    label = "not an argument",
    note = "arguments are `String`, number types, `Option<T>`, `Vec<T>`, or a type of yours that implements `Argument`"
)]
pub trait Argument: Sized + Send + 'static {
    /// Whether this type fits a place of that shape in a usage line.
    fn fits(shape: Shape) -> bool {
        shape == Shape::Required
    }

    /// Reads the value; the error says what is wrong with the word or what was expected.
    fn from_word(word: &str) -> Result<Self, String>;

    /// Reads the value from all words of its place. Only types that take none or many override it.
    fn from_words(words: &[&str]) -> Result<Self, (String, String)> {
        let word = words.first().copied().unwrap_or_default();
        Self::from_word(word).map_err(|reason| (word.into(), reason))
    }
}

impl Argument for String {
    fn from_word(word: &str) -> Result<Self, String> {
        Ok(word.into())
    }
}

macro_rules! numbers {
    ($check:expr; $($number:ty),*) => {$(
        impl Argument for $number {
            fn from_word(word: &str) -> Result<Self, String> {
                let number: $number = word.parse().map_err(|error| format!("{error}"))?;
                if $check(number) { Ok(number) } else { Err("not a finite number".into()) }
            }
        }
    )*};
}

numbers!(|_| true; u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
numbers!(f64::is_finite; f64);
numbers!(f32::is_finite; f32);

impl<T: Argument> Argument for Option<T> {
    fn fits(shape: Shape) -> bool {
        shape == Shape::Optional
    }
    fn from_word(word: &str) -> Result<Self, String> {
        T::from_word(word).map(Some)
    }
    fn from_words(words: &[&str]) -> Result<Self, (String, String)> {
        if words.is_empty() { Ok(None) } else { T::from_words(words).map(Some) }
    }
}

impl<T: Argument> Argument for Vec<T> {
    fn fits(shape: Shape) -> bool {
        shape.is_many()
    }
    fn from_word(word: &str) -> Result<Self, String> {
        T::from_word(word).map(|value| vec![value])
    }
    fn from_words(words: &[&str]) -> Result<Self, (String, String)> {
        words.iter().map(|word| T::from_words(&[word])).collect()
    }
}

/// Every `name=value` without a place of its own, in order: the type for `[name=value...]`, which comes
/// last in a usage line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(pub Vec<(String, String)>);

impl Argument for Parameters {
    fn fits(shape: Shape) -> bool {
        shape == Shape::Named
    }
    fn from_word(word: &str) -> Result<Self, String> {
        let (name, value) = word.split_once('=').ok_or("expected `name=value`")?;
        Ok(Self(vec![(name.into(), value.into())]))
    }
    fn from_words(words: &[&str]) -> Result<Self, (String, String)> {
        let pairs = words.iter().filter_map(|word| word.split_once('='));
        Ok(Self(pairs.map(|(name, value)| (name.into(), value.into())).collect()))
    }
}

/// The words of one line, each in its place of the usage line.
#[derive(Debug)]
pub struct Args<'l> {
    usage: &'l Usage,
    places: Vec<Vec<&'l str>>,
}

impl<'l> Args<'l> {
    /// Binds words as Python binds arguments, which is what clients of the original protocol know:
    /// words in order, `name=value` (split at the first `=`) by name.
    ///
    /// What is wrong with them comes beside the arguments: a malformed line's `client_ref` counts.
    pub(crate) fn bind<'w: 'l>(
        usage: &'l Usage,
        words: impl Iterator<Item = &'w str>,
    ) -> (Self, Result<(), Error>) {
        let mut args = Self { usage, places: vec![Vec::new(); usage.parameters.len()] };
        let (mut next, mut named, mut extra) = (0, Vec::new(), None);
        for word in words {
            let shape = usage.parameters.get(next).map(|parameter| parameter.shape);
            match (args.places.get_mut(next), shape) {
                _ if word.contains('=') => named.push(word),
                (None, _) | (_, None | Some(Shape::Named)) => extra = extra.or(Some(word)),
                (Some(place), Some(shape)) => {
                    place.push(word);
                    next += usize::from(!shape.is_many());
                }
            }
        }
        let mut result = match extra {
            Some(word) => Err(Error::ExtraArgument { value: quoted(word), usage: usage.line }),
            None => Ok(()),
        };
        for word in named {
            let bound = args.bind_named(word);
            result = result.and(bound);
        }
        let result = result.and_then(|()| args.check_complete());
        (args, result)
    }

    fn bind_named(&mut self, word: &'l str) -> Result<(), Error> {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let mut places = self.usage.parameters.iter().zip(&mut self.places);
        let found = places.find(|(parameter, _)| match parameter.shape {
            Shape::Required | Shape::Optional => parameter.name == name,
            Shape::OneOrMore | Shape::ZeroOrMore => false,
            Shape::Named => true,
        });
        match found {
            None => Err(Error::UnknownArgument {
                name: quoted(name),
                value: quoted(value),
                usage: self.usage.line,
            }),
            Some((parameter, place)) if parameter.shape == Shape::Named => {
                place.push(word);
                Ok(())
            }
            Some((parameter, place)) if !place.is_empty() => {
                Err(Error::RepeatedArgument { name: parameter.name, value: quoted(value) })
            }
            Some((_, place)) => {
                place.push(value);
                Ok(())
            }
        }
    }

    fn check_complete(&self) -> Result<(), Error> {
        let missing = self.usage.parameters.iter().zip(&self.places).find(|(parameter, place)| {
            place.is_empty() && matches!(parameter.shape, Shape::Required | Shape::OneOrMore)
        });
        match missing {
            None => Ok(()),
            Some((parameter, _)) => {
                Err(Error::MissingArgument { name: parameter.name, usage: self.usage.line })
            }
        }
    }

    /// The reference by which the client wants to recognise the answer.
    pub(crate) fn client_reference(&self) -> Option<String> {
        let mut parameters = self.usage.parameters.iter();
        let place = parameters.position(|parameter| parameter.name == "client_ref")?;
        Some((*self.places.get(place)?.first()?).into())
    }

    fn read<T: Argument>(&self, place: usize) -> Result<T, Error> {
        let words = self.places.get(place).map_or(&[][..], Vec::as_slice);
        T::from_words(words).map_err(|(value, reason)| Error::BadArgument {
            name: self.usage.parameters.get(place).map_or("", |parameter| parameter.name),
            value: quoted(&value),
            reason: reason.into(),
        })
    }
}

/// The arguments of a command: a tuple of [`Argument`]s, one for each place of its usage line; `()`
/// for none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a command's arguments",
    label = "expected a tuple of arguments",
    note = "write `_: ()` for a command without arguments, `(key,): (String,)` for one"
)]
pub trait FromArgs: Sized + Send + 'static {
    /// Whether each type fits the shape of its place.
    #[doc(hidden)]
    fn fits(shapes: &[Shape]) -> bool;

    /// Reads the values.
    fn from_args(args: &Args<'_>) -> Result<Self, Error>;
}

macro_rules! tuples {
    ($($name:ident $place:tt),*) => {
        impl<$($name: Argument),*> FromArgs for ($($name,)*) {
            fn fits(shapes: &[Shape]) -> bool {
                let fits: &[fn(Shape) -> bool] = &[$($name::fits),*];
                fits.len() == shapes.len() && fits.iter().zip(shapes).all(|(fits, s)| fits(*s))
            }
            #[allow(unused_variables, reason = "the empty tuple reads nothing")]
            fn from_args(args: &Args<'_>) -> Result<Self, Error> {
                Ok(($(args.read::<$name>($place)?,)*))
            }
        }
    };
}

tuples!();
tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
