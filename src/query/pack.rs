//! Many small lists as few large ones.

use std::cmp::Reverse;

/// Services put together so that one list shows the calls to all of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// One list each. What is larger than a list is a group of its own.
    pub groups: Vec<Vec<String>>,
    /// The services of `groups`. One more list shows the calls to all others, also to those that nobody knew of.
    pub listed: Vec<String>,
}

/// Packs services by the number of their calls, of which a list shows `rows`: first fit, the largest first, which
/// takes at most 11/9 of the fewest lists and one (D. S. Johnson, "Near-optimal bin packing algorithms", 1973).
/// The group with most services is left to the last list, that of all others.
pub fn pack(sizes: impl IntoIterator<Item = (String, u64)>, rows: u32) -> Packed {
    let room = u64::from(rows);
    let mut sizes: Vec<(String, u64)> = sizes.into_iter().collect();
    sizes.sort_by(|a, b| (Reverse(a.1), &a.0).cmp(&(Reverse(b.1), &b.0)));
    let mut groups: Vec<(u64, Vec<String>)> = Vec::new();
    for (name, calls) in sizes {
        let fitting = groups
            .iter_mut()
            .find(|(sum, _)| sum.checked_add(calls).is_some_and(|sum| sum <= room));
        match fitting {
            Some((sum, names)) => {
                *sum += calls;
                names.push(name);
            }
            None => groups.push((calls, vec![name])),
        }
    }
    let last = (0..groups.len())
        .filter(|at| groups.get(*at).is_some_and(|(sum, _)| *sum <= room))
        .max_by_key(|at| groups.get(*at).map(|(_, names)| names.len()));
    if let Some(last) = last {
        groups.remove(last);
    }
    let groups: Vec<Vec<String>> = groups.into_iter().map(|(_, names)| names).collect();
    Packed {
        listed: groups.iter().flatten().cloned().collect(),
        groups,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(sizes: &[(&str, u64)]) -> (Vec<String>, Vec<String>) {
        let sizes = sizes.iter().map(|(name, calls)| ((*name).to_owned(), *calls));
        let packed = pack(sizes, 1000);
        let groups = packed.groups.iter().map(|names| names.join("+")).collect();
        (groups, packed.listed)
    }

    #[test]
    fn small_services_share_a_list_and_large_ones_have_their_own() {
        let sizes = [
            ("mail", 62),
            ("gateway", 1295),
            ("cart", 481),
            ("catalogue", 937),
            ("stock", 377),
            ("shipping", 156),
            ("bank", 43),
        ];
        let (groups, listed) = packed(&sizes);
        assert_eq!(groups, ["gateway", "catalogue+mail", "shipping"]);
        assert_eq!(listed, ["gateway", "catalogue", "mail", "shipping"]);
    }

    #[test]
    fn what_fits_into_one_list_needs_no_groups() {
        assert_eq!(packed(&[("a", 400), ("b", 600)]), (vec![], vec![]));
        assert_eq!(packed(&[]), (vec![], vec![]));
        assert_eq!(
            packed(&[("a", 2000)]),
            (vec!["a".to_owned()], vec!["a".to_owned()])
        );
    }
}
