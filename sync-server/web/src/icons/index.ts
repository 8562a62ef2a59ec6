// The icons in use, from Material Symbols (rounded, weight 400). Only what is
// named here comes into the bundle.
import accountTree from '@material-symbols/svg-400/rounded/account_tree.svg?raw'
import add from '@material-symbols/svg-400/rounded/add.svg?raw'
import arrowBack from '@material-symbols/svg-400/rounded/arrow_back.svg?raw'
import arrowUpward from '@material-symbols/svg-400/rounded/arrow_upward.svg?raw'
import assignment from '@material-symbols/svg-400/rounded/assignment.svg?raw'
import block from '@material-symbols/svg-400/rounded/block.svg?raw'
import calendar from '@material-symbols/svg-400/rounded/calendar_month.svg?raw'
import campaign from '@material-symbols/svg-400/rounded/campaign.svg?raw'
import category from '@material-symbols/svg-400/rounded/category.svg?raw'
import checkCircle from '@material-symbols/svg-400/rounded/check_circle.svg?raw'
import chevronLeft from '@material-symbols/svg-400/rounded/chevron_left.svg?raw'
import chevronRight from '@material-symbols/svg-400/rounded/chevron_right.svg?raw'
import cleaning from '@material-symbols/svg-400/rounded/cleaning_services.svg?raw'
import close from '@material-symbols/svg-400/rounded/close.svg?raw'
import cloudOff from '@material-symbols/svg-400/rounded/cloud_off.svg?raw'
import contrast from '@material-symbols/svg-400/rounded/contrast.svg?raw'
import darkMode from '@material-symbols/svg-400/rounded/dark_mode.svg?raw'
import directionsWalk from '@material-symbols/svg-400/rounded/directions_walk.svg?raw'
import factCheck from '@material-symbols/svg-400/rounded/fact_check.svg?raw'
import familyRestroom from '@material-symbols/svg-400/rounded/family_restroom.svg?raw'
import fire from '@material-symbols/svg-400/rounded/local_fire_department.svg?raw'
import fit from '@material-symbols/svg-400/rounded/fit_screen.svg?raw'
import handshake from '@material-symbols/svg-400/rounded/handshake.svg?raw'
import home from '@material-symbols/svg-400/rounded/home.svg?raw'
import hourglass from '@material-symbols/svg-400/rounded/hourglass_empty.svg?raw'
import info from '@material-symbols/svg-400/rounded/info.svg?raw'
import keyboardArrowDown from '@material-symbols/svg-400/rounded/keyboard_arrow_down.svg?raw'
import keyboardArrowUp from '@material-symbols/svg-400/rounded/keyboard_arrow_up.svg?raw'
import lightMode from '@material-symbols/svg-400/rounded/light_mode.svg?raw'
import locationOn from '@material-symbols/svg-400/rounded/location_on.svg?raw'
import lock from '@material-symbols/svg-400/rounded/lock.svg?raw'
import logout from '@material-symbols/svg-400/rounded/logout.svg?raw'
import map from '@material-symbols/svg-400/rounded/map.svg?raw'
import pause from '@material-symbols/svg-400/rounded/pause.svg?raw'
import pauseCircle from '@material-symbols/svg-400/rounded/pause_circle.svg?raw'
import person from '@material-symbols/svg-400/rounded/person.svg?raw'
import photo from '@material-symbols/svg-400/rounded/photo_camera.svg?raw'
import play from '@material-symbols/svg-400/rounded/play_arrow.svg?raw'
import priorityHigh from '@material-symbols/svg-400/rounded/priority_high.svg?raw'
import radioUnchecked from '@material-symbols/svg-400/rounded/radio_button_unchecked.svg?raw'
import refresh from '@material-symbols/svg-400/rounded/refresh.svg?raw'
import remove from '@material-symbols/svg-400/rounded/remove.svg?raw'
import schedule from '@material-symbols/svg-400/rounded/schedule.svg?raw'
import search from '@material-symbols/svg-400/rounded/search.svg?raw'
import send from '@material-symbols/svg-400/rounded/send.svg?raw'
import police from '@material-symbols/svg-400/rounded/local_police.svg?raw'
import sync from '@material-symbols/svg-400/rounded/sync.svg?raw'
import taskAlt from '@material-symbols/svg-400/rounded/task_alt.svg?raw'
import timeline from '@material-symbols/svg-400/rounded/timeline.svg?raw'
import translate from '@material-symbols/svg-400/rounded/translate.svg?raw'
import undo from '@material-symbols/svg-400/rounded/undo.svg?raw'
import visibility from '@material-symbols/svg-400/rounded/visibility.svg?raw'
import visibilityOff from '@material-symbols/svg-400/rounded/visibility_off.svg?raw'
import warning from '@material-symbols/svg-400/rounded/warning.svg?raw'

const sources = {
  accountTree,
  add,
  arrowBack,
  arrowUpward,
  assignment,
  block,
  calendar,
  campaign,
  category,
  checkCircle,
  chevronLeft,
  chevronRight,
  cleaning,
  close,
  cloudOff,
  contrast,
  darkMode,
  directionsWalk,
  factCheck,
  familyRestroom,
  fire,
  fit,
  handshake,
  home,
  hourglass,
  info,
  keyboardArrowDown,
  keyboardArrowUp,
  lightMode,
  locationOn,
  lock,
  logout,
  map,
  pause,
  pauseCircle,
  person,
  photo,
  play,
  police,
  priorityHigh,
  radioUnchecked,
  refresh,
  remove,
  schedule,
  search,
  send,
  sync,
  taskAlt,
  timeline,
  translate,
  undo,
  visibility,
  visibilityOff,
  warning,
}

export type IconName = keyof typeof sources

/** The side of the square that all paths are drawn in; y runs from −960 to 0. */
export const ICON_BOX = 960

/** An icon's outline, for SVG and canvas alike. */
export function iconPath(name: IconName): string {
  return / d="([^"]+)"/.exec(sources[name])?.[1] ?? ''
}
