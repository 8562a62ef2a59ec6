// The tree of grids: who stands under whom is their parent, never a code's
// beginning.
import type { Grid, Level } from '@/api/types'

export interface GridNode {
  grid: Grid
  parent: GridNode | null
  children: GridNode[]
}

export interface GridTree {
  root: GridNode
  byId: Map<string, GridNode>
}

/**
 * Builds the tree from the flat list, parents before children. A grid whose
 * parent is not in the list is hung under the first one: the user's own grid,
 * whose parent they may not see, is that first one.
 */
export function buildTree(grids: Grid[]): GridTree | null {
  const byId = new Map<string, GridNode>()
  let root: GridNode | null = null
  for (const grid of grids) {
    const parent: GridNode | null = (grid.parent ? byId.get(grid.parent) : null) ?? root
    const node: GridNode = { grid, parent, children: [] }
    parent?.children.push(node)
    root ??= node
    byId.set(grid.id, node)
  }
  return root && { root, byId }
}

/** From the root down to the node. */
export function pathOf(node: GridNode): GridNode[] {
  const path: GridNode[] = []
  for (let at: GridNode | null = node; at; at = at.parent) path.unshift(at)
  return path
}

/** How many grids of each level stand below the node. */
export function countBelow(node: GridNode): Record<Level, number> {
  const counts: Record<Level, number> = { district: 0, town: 0, community: 0, base: 0 }
  const open = [...node.children]
  for (let at = open.pop(); at; at = open.pop()) {
    counts[at.grid.level] += 1
    open.push(...at.children)
  }
  return counts
}

export interface Found {
  /** The first of the matches, best first. */
  nodes: GridNode[]
  /** How many match in all. */
  total: number
}

/**
 * Grids whose name holds all the words asked for, or whose code begins with
 * them. A name's beginning counts for more than its middle, a higher level for
 * more than a lower.
 */
export function searchGrids(tree: GridTree, asked: string, limit: number): Found {
  const words = asked.trim().toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return { nodes: [], total: 0 }
  const ranks: Record<Level, number> = { district: 0, town: 1, community: 2, base: 3 }
  const hits: { node: GridNode; score: number }[] = []
  for (const node of tree.byId.values()) {
    const name = node.grid.name.toLowerCase()
    const fits = words.every((word) => name.includes(word) || node.grid.code.startsWith(word))
    if (!fits) continue
    const first = words[0] ?? ''
    const atStart = name.startsWith(first) || node.grid.code === first ? 0 : 10
    hits.push({ node, score: ranks[node.grid.level] + atStart })
  }
  hits.sort((a, b) => a.score - b.score || a.node.grid.code.localeCompare(b.node.grid.code))
  return { nodes: hits.slice(0, limit).map((hit) => hit.node), total: hits.length }
}
