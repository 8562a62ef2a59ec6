/** A column of a DataTable. */
export interface Column<R> {
  key: string
  title: string
  /** What the column is sorted by. */
  value: (row: R) => number | string
  /** Numbers and times stand to the right. */
  right?: boolean
  /** A first click sorts from high to low. */
  down?: boolean
}

/** What a table, or a panel that holds one, lets others do. */
export interface RowFocus {
  /** Brings a row into sight and gives its link the focus. */
  focusRow: (id: string) => Promise<void>
}
