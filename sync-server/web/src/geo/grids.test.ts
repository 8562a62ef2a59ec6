import { describe, expect, test } from 'vitest'
import { buildTree, countBelow, pathOf, searchGrids } from './grids'
import { grid } from './testing'

const grids = [
  grid('d', 'city', 'district', '兰山区'),
  grid('t', 'd', 'town', '金雀山街道'),
  grid('c', 't', 'community', '金智社区'),
  { ...grid('b1', 'c', 'base', '金智社区第一网格'), code: '371302003001001' },
  // A professional grid's code may begin like an unrelated grid's; only the parent counts.
  { ...grid('b2', 't', 'base', '夜市专业网格'), code: '371302003001001900' },
]
const tree = buildTree(grids)

describe('the tree', () => {
  test('the first grid is the root, though its own parent is out of sight', () => {
    expect(tree?.root.grid.id).toBe('d')
    expect(buildTree([])).toBeNull()
  })
  test('who stands under whom is the parent, never the code', () => {
    const node = tree?.byId.get('b2')
    expect(node && pathOf(node).map((each) => each.grid.id)).toEqual(['d', 't', 'b2'])
  })
  test('counts by level', () => {
    expect(tree && countBelow(tree.root)).toEqual({ district: 0, town: 1, community: 1, base: 2 })
  })
})

describe('search', () => {
  const ids = (asked: string): string[] =>
    tree ? searchGrids(tree, asked, 10).nodes.map((node) => node.grid.id) : []
  test('by name, higher levels and beginnings first', () => {
    expect(ids('金')).toEqual(['t', 'c', 'b1'])
    expect(ids('网格')).toEqual(['b1', 'b2'])
  })
  test('by all the words', () => {
    expect(ids('金智 第一')).toEqual(['b1'])
  })
  test('by code', () => {
    expect(ids('371302003001001')).toEqual(['b1', 'b2'])
  })
  test('nothing asked, nothing found; the total is told beyond the limit', () => {
    expect(ids('  ')).toEqual([])
    expect(tree && searchGrids(tree, '金', 1)).toMatchObject({ total: 3, nodes: [{}] })
  })
})
