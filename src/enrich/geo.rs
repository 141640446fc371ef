//! Where addresses are said to be: MMDB files, as GeoLite2 comes in.

use super::{Error, Result, guard};
use crate::store::{Place, SystemLog};
use maxminddb::Reader;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// MMDB files, open.
#[derive(Default)]
pub struct Atlas {
    maps: Vec<Map>,
}

struct Map {
    /// `GeoLite2-City 2026-10-01`.
    name: String,
    reader: Reader<Vec<u8>>,
}

/// What a record of any of the kinds may hold.
#[derive(Default, Deserialize)]
struct Record<'a> {
    #[serde(borrow, default)]
    country: Country<'a>,
    #[serde(borrow, default)]
    registered_country: Country<'a>,
    #[serde(borrow, default)]
    city: City<'a>,
    #[serde(default)]
    location: Location,
    #[serde(default)]
    autonomous_system_number: Option<u32>,
    #[serde(borrow, default)]
    autonomous_system_organization: Option<&'a str>,
}

#[derive(Default, Deserialize)]
struct Country<'a> {
    #[serde(borrow, default)]
    iso_code: Option<&'a str>,
}

#[derive(Default, Deserialize)]
struct City<'a> {
    #[serde(borrow, default)]
    names: Names<'a>,
}

#[derive(Default, Deserialize)]
struct Names<'a> {
    #[serde(borrow, default)]
    en: Option<&'a str>,
}

#[derive(Default, Deserialize)]
struct Location {
    #[serde(default)]
    latitude: Option<f64>,
    #[serde(default)]
    longitude: Option<f64>,
}

impl Atlas {
    /// Opens every file; one that is no MMDB is an error that says so.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        Ok(Self { maps: paths.iter().map(|path| Map::open(path)).collect::<Result<_>>()? })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.maps.is_empty()
    }

    /// Rows of `places` for those addresses of which anything is known, in order. What an earlier file knows, a later one does not change.
    pub fn places(&self, addresses: &[IpAddr]) -> (Vec<Place>, Vec<SystemLog>) {
        let public: Vec<IpAddr> = addresses.iter().copied().filter(|address| guard::is_public(*address)).collect();
        let places: Vec<Place> = public.iter().filter_map(|address| self.place(*address)).collect();
        let names: Vec<&str> = self.maps.iter().map(|map| map.name.as_str()).collect();
        let message = format!("{}: {} of {} outside addresses found", names.join(", "), places.len(), public.len());
        let log = SystemLog { level: "info".into(), source: "geoip".into(), message, count: places.len() as u64 };
        (places, vec![log])
    }

    fn place(&self, address: IpAddr) -> Option<Place> {
        let mut place = Place { ip: address.to_string(), ..Place::default() };
        let mut sources: Vec<&str> = Vec::new();
        for map in &self.maps {
            // A record that cannot be read is like none: the file is damaged there, and the rest of it may still be of use.
            let Ok(Some(record)) = map.reader.lookup(address).and_then(|found| found.decode::<Record<'_>>()) else { continue };
            let own = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
            place.country = place.country.or_else(|| own(record.country.iso_code.or(record.registered_country.iso_code)));
            place.city = place.city.or_else(|| own(record.city.names.en));
            place.asn = place.asn.or(record.autonomous_system_number);
            place.organisation = place.organisation.or_else(|| own(record.autonomous_system_organization));
            let at = record.location;
            if let (None, Some(latitude), Some(longitude)) = (place.latitude, at.latitude, at.longitude) {
                (place.latitude, place.longitude) = (Some(latitude), Some(longitude));
            }
            sources.push(&map.name);
        }
        place.source = sources.join(", ");
        let known = place.country.is_some() || place.city.is_some() || place.asn.is_some() || place.latitude.is_some();
        known.then_some(place)
    }
}

impl Map {
    fn open(path: &Path) -> Result<Self> {
        let wrong = |why: String| Error::File { path: path.display().to_string(), why };
        let bytes = std::fs::read(path).map_err(|error| wrong(format!("{error}; --geoip takes an MMDB file")))?;
        let reader = Reader::from_source(bytes)
            .map_err(|error| wrong(format!("it is no MMDB file ({error}); GeoLite2-City.mmdb, -Country.mmdb and -ASN.mmdb are")))?;
        let metadata = reader.metadata();
        let built = i64::try_from(metadata.build_epoch).ok().and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
        let day = built.map(|built| built.format(" %Y-%m-%d").to_string()).unwrap_or_default();
        let name = format!("{}{day}", metadata.database_type);
        Ok(Self { name, reader })
    }
}
