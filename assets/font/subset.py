"""Subsets Inter-Regular.otf for the charts; see README.md beside this file."""

import sys

from fontTools import subset
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0

SIGNS = "‐‑‒–—‘’‚“”„†•…‰′″‹›⁄€₂→←↑↓↔⇒∆∏∑−√∞∫≈≠≤≥◊●○■□▲△▼◆×·²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₃₄"


def pair_advance(table, first, second):
    """The kerning of a pair in one GPOS pair table; None if the table does not speak of it."""
    if first not in table.Coverage.glyphs:
        return None
    if table.Format == 1:
        records = table.PairSet[table.Coverage.glyphs.index(first)].PairValueRecord
        found = [r.Value1 for r in records if r.SecondGlyph == second]
        if not found:
            return None
        value = found[0]
    else:
        row = table.Class1Record[table.ClassDef1.classDefs.get(first, 0)].Class2Record
        value = row[table.ClassDef2.classDefs.get(second, 0)].Value1
    return getattr(value, "XAdvance", 0) if value else 0


def kerning(font):
    """Every kerned pair of ASCII characters, but for those under a hundredth of an em."""
    cmap = font.getBestCmap()
    names = [cmap[c] for c in sorted(cmap) if 0x21 <= c < 0x7F]
    pairs = {}
    for lookup in font["GPOS"].table.LookupList.Lookup:
        tables = [getattr(t, "ExtSubTable", t) for t in lookup.SubTable]
        tables = [t for t in tables if t.LookupType == 2]
        for first in names:
            for second in names:
                advances = (pair_advance(t, first, second) for t in tables)
                advance = next((a for a in advances if a is not None), 0)
                pairs[first, second] = pairs.get((first, second), 0) + advance
    return {p: v for p, v in pairs.items() if abs(v) * 100 >= font["head"].unitsPerEm}


def main(source, target):
    font = TTFont(source)
    options = subset.Options()
    options.layout_features = ["kern"]
    options.hinting = False
    options.desubroutinize = True
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    subsetter = subset.Subsetter(options)
    characters = {*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x370, 0x400), *map(ord, SIGNS)}
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)

    plain = KernTable_format_0()
    plain.version, plain.format, plain.coverage, plain.apple = 0, 0, 1, False
    plain.kernTable = kerning(font)
    font["kern"] = newTable("kern")
    font["kern"].version, font["kern"].kernTables = 0, [plain]
    for tag in ("GPOS", "GSUB", "GDEF", "BASE", "STAT", "DSIG"):
        if tag in font:
            del font[tag]
    font.save(target)


main(*sys.argv[1:])
