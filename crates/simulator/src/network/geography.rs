//! Where locations and targets are, and how far apart.

use crate::random::Stream;

/// A part of the world that can have trouble of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are continents")]
pub enum Region {
    NorthAmerica,
    SouthAmerica,
    Europe,
    Asia,
    Oceania,
    Africa,
}

/// A place on earth, degrees.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its name.
    pub name: &'static str,
    /// Its region.
    pub region: Region,
    latitude: f64,
    longitude: f64,
}

const fn place(name: &'static str, region: Region, latitude: f64, longitude: f64) -> Place {
    Place {
        name,
        region,
        latitude,
        longitude,
    }
}

/// Cities with data centres of large clouds. The first sixteen are where
/// targets stand; locations are spread over all of them.
pub const CITIES: [Place; 32] = [
    place("Ashburn", Region::NorthAmerica, 39.0, -77.5),
    place("Frankfurt", Region::Europe, 50.1, 8.7),
    place("Tokyo", Region::Asia, 35.7, 139.7),
    place("São Paulo", Region::SouthAmerica, -23.5, -46.6),
    place("Sydney", Region::Oceania, -33.9, 151.2),
    place("Portland", Region::NorthAmerica, 45.5, -122.7),
    place("London", Region::Europe, 51.5, -0.1),
    place("Singapore", Region::Asia, 1.4, 103.8),
    place("Mumbai", Region::Asia, 19.1, 72.9),
    place("Johannesburg", Region::Africa, -26.2, 28.0),
    place("Columbus", Region::NorthAmerica, 40.0, -83.0),
    place("Dublin", Region::Europe, 53.3, -6.3),
    place("Seoul", Region::Asia, 37.6, 127.0),
    place("Montréal", Region::NorthAmerica, 45.5, -73.6),
    place("Stockholm", Region::Europe, 59.3, 18.1),
    place("Hong Kong", Region::Asia, 22.3, 114.2),
    place("New York", Region::NorthAmerica, 40.7, -74.0),
    place("Los Angeles", Region::NorthAmerica, 34.1, -118.2),
    place("Chicago", Region::NorthAmerica, 41.9, -87.6),
    place("Dallas", Region::NorthAmerica, 32.8, -96.8),
    place("Miami", Region::NorthAmerica, 25.8, -80.2),
    place("Mexico City", Region::NorthAmerica, 19.4, -99.1),
    place("Buenos Aires", Region::SouthAmerica, -34.6, -58.4),
    place("Paris", Region::Europe, 48.9, 2.4),
    place("Madrid", Region::Europe, 40.4, -3.7),
    place("Milan", Region::Europe, 45.5, 9.2),
    place("Warsaw", Region::Europe, 52.2, 21.0),
    place("Istanbul", Region::Europe, 41.0, 29.0),
    place("Dubai", Region::Asia, 25.2, 55.3),
    place("Jakarta", Region::Asia, -6.2, 106.8),
    place("Osaka", Region::Asia, 34.7, 135.5),
    place("Nairobi", Region::Africa, -1.3, 36.8),
];

/// Light in fibre does about 200 km per ms.
const KM_PER_MS: f64 = 200.0;

/// Cables are longer than great circles: about this many times.
const DETOUR: f64 = 1.5;

/// What even the nearest target takes, ms: the last mile on both sides.
const NEAREST_MS: f64 = 4.0;

impl Place {
    /// A place not far from here: some hundred kilometres.
    #[must_use]
    pub fn near(self, stream: &mut Stream) -> Self {
        let spread = |stream: &mut Stream| 6.0 * (stream.uniform() - 0.5);
        Self {
            latitude: self.latitude + spread(stream),
            longitude: self.longitude + spread(stream),
            ..self
        }
    }

    /// The time there and back, ms.
    #[must_use]
    pub fn round_trip_ms(&self, other: &Self) -> f64 {
        NEAREST_MS + 2.0 * DETOUR * self.distance_km(other) / KM_PER_MS
    }

    /// The local time's share of a day ahead of Greenwich.
    #[must_use]
    pub fn day_phase(&self) -> f64 {
        self.longitude / 360.0
    }

    /// The great circle, by the haversine formula.
    fn distance_km(&self, other: &Self) -> f64 {
        const EARTH_RADIUS_KM: f64 = 6371.0;
        let (a, b) = (self.latitude.to_radians(), other.latitude.to_radians());
        let across = (other.longitude - self.longitude).to_radians();
        let half = ((b - a) / 2.0).sin().powi(2) + a.cos() * b.cos() * (across / 2.0).sin().powi(2);
        2.0 * EARTH_RADIUS_KM * half.sqrt().min(1.0).asin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_are_those_of_the_internet() {
        let rtt = |a: usize, b: usize| CITIES[a].round_trip_ms(&CITIES[b]);
        // Measured between clouds: about 90, 150 and 240 ms.
        assert!((85.0..110.0).contains(&rtt(0, 1)), "{}", rtt(0, 1));
        assert!((130.0..180.0).contains(&rtt(0, 2)), "{}", rtt(0, 2));
        assert!((220.0..260.0).contains(&rtt(1, 4)), "{}", rtt(1, 4));
        assert!(rtt(3, 3) < 5.0);
    }
}
