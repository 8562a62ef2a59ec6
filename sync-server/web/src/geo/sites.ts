// Sites as the page lists and draws them: visited, missed with a reason, or not
// due in what is looked at.
import type { Coverage, LonLat, PatrolCoverage, Reason, Site, Unit, Visit } from '@/api/types'

export type Standing = 'met' | 'missed' | 'open'

/** A site and how it stands in a patrol, a day or a week. */
export interface SiteStanding {
  /** Unique in a list: a site may be due in several patrols of a day. */
  key: string
  site: Site
  unit: Unit | null
  standing: Standing
  visits: Visit[]
  reason: Reason | null
}

const RANK: Record<Standing, number> = { missed: 0, open: 1, met: 2 }

function standingOf(unit: Unit): Standing {
  if (unit.met) return 'met'
  return unit.reason?.why === 'not_yet' ? 'open' : 'missed'
}

function ordered(list: SiteStanding[]): SiteStanding[] {
  return list.sort(
    (a, b) =>
      RANK[a.standing] - RANK[b.standing] || a.site.name.localeCompare(b.site.name, 'zh-CN'),
  )
}

function ofUnits(sites: Site[], units: Unit[]): SiteStanding[] {
  const byId = new Map(sites.map((site) => [site.id, site]))
  return units.flatMap((unit, index) => {
    const site = byId.get(unit.site)
    if (!site) return []
    const { visits, reason } = unit
    return [
      { key: `${unit.site}-${index}`, site, unit, standing: standingOf(unit), visits, reason },
    ]
  })
}

/** What was due on a day, and in its week; what was missed first. */
export function sitesOfDay(coverage: Coverage): SiteStanding[] {
  return ordered(ofUnits(coverage.sites, coverage.units))
}

/** What is due in each patrol, and what this one visited besides. */
export function sitesOfPatrol(coverage: PatrolCoverage): SiteStanding[] {
  const due = ofUnits(coverage.sites, coverage.units)
  const listed = new Set(coverage.units.map((unit) => unit.site))
  const others = coverage.sites.flatMap((site): SiteStanding[] => {
    if (listed.has(site.id)) return []
    const visits = coverage.visits.filter((visit) => visit.site === site.id)
    const standing = visits.length ? 'met' : 'open'
    return [{ key: site.id, site, unit: null, standing, visits, reason: null }]
  })
  return ordered([...due, ...others])
}

/** Corners of a drawn circle. */
const CORNERS = 48
const METRES_PER_DEGREE = 111_195

function circle([lon, lat]: LonLat, radiusM: number): LonLat[] {
  const north = radiusM / METRES_PER_DEGREE
  const east = north / Math.cos((lat * Math.PI) / 180)
  return Array.from({ length: CORNERS + 1 }, (_, i): LonLat => {
    const angle = (2 * Math.PI * (i % CORNERS)) / CORNERS
    return [lon + east * Math.cos(angle), lat + north * Math.sin(angle)]
  })
}

/** Each site once, as worst as it stands, with the words that explain it. */
export function siteCircles(
  list: SiteStanding[],
  words: (each: SiteStanding) => string,
): GeoJSON.FeatureCollection<GeoJSON.Polygon> {
  const seen = new Set<string>()
  const features = ordered([...list]).flatMap((each): GeoJSON.Feature<GeoJSON.Polygon>[] => {
    if (seen.has(each.site.id)) return []
    seen.add(each.site.id)
    return [
      {
        type: 'Feature',
        geometry: { type: 'Polygon', coordinates: [circle(each.site.at, each.site.radius_m)] },
        properties: { standing: each.standing, text: words(each) },
      },
    ]
  })
  return { type: 'FeatureCollection', features }
}
