"""From the figures of all runs to tables, and to the plot."""
import dataclasses
import datetime
import html
import math
import os
import pathlib
import platform
import re
import shlex
import statistics


# From runs to lines of the tables

@dataclasses.dataclass(frozen=True)
class Line:
    label: str
    figure: object
    values: dict        # medians, by contestant
    cpu_us: dict        # the same; empty where it is not measured
    ratios: tuple       # per round: how many times Tern is better than the reference
    cpu_ratios: tuple
    bare_ratios: tuple  # how many times Tern is as good as bare sockets

    def shortfalls(self):
        """What of the demands is not met; None when nothing could be judged."""
        figure = self.figure
        demands = [(self.ratios, figure.at_least, "x"),
                   (self.bare_ratios, figure.of_bare, " of bare"), (self.cpu_ratios, 1, "x CPU")]
        judged = [(median(ratios), least, unit) for ratios, least, unit in demands
                  if ratios and least is not None]
        short = [f"{value:.2f}{unit}" for value, least, unit in judged if round(value, 2) < least]
        if figure.below is not None and self.values["Tern"] >= figure.below:
            short.append(f"{number_text(self.values['Tern'])} {figure.unit}")
        return short if judged or figure.below is not None else None

    def demand_text(self):
        figure = self.figure
        return ", ".join(text for value, text in (
            (figure.at_least, f"{figure.at_least}x"), (figure.of_bare, f"{figure.of_bare} of bare"),
            (figure.below, f"under {figure.below} {figure.unit}")) if value is not None)

    def met_text(self):
        short = self.shortfalls()
        return "" if short is None else "no: " + ", ".join(short) if short else "yes"


def lines_of(row, runs):
    """runs: for each contestant its runs' figures, in the order of time."""
    def line(figure):
        def series(key):
            return {name: [run[key] for run in each] for name, each in runs.items()
                    if all(key in run for run in each)}

        def against(values, other, smaller_is_better):
            return tuple(ratio(*pair, smaller_is_better)
                         for pair in zip(values.get("Tern", ()), values.get(other, ())))

        values = series(figure.key)
        cpu = series("cpu_all" if figure.cpu == "all" else figure.cpu) if figure.cpu else {}
        return Line(row.label + figure.suffix, figure,
                    {name: median(each) for name, each in values.items()},
                    {name: median(each) for name, each in cpu.items()},
                    against(values, "reference", figure.smaller_is_better),
                    against(cpu, "reference", True),
                    against(values, "bare", figure.smaller_is_better))

    return [line(figure) for figure in row.figures]


def ratio(tern, other, smaller_is_better):
    above, below = (other, tern) if smaller_is_better else (tern, other)
    return above / below if below > 0 else math.nan


def median(values):
    return statistics.median(values)


# Tables: a header and rows of cells, all text

def ratio_text(ratios):
    if not ratios:
        return ""
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def number_text(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def main_table(lines, has_reference, with_demands=True):
    names = ["Tern", "reference"] if has_reference else ["Tern"]
    header = ["row", "unit", *names, *["Tern is better by"] * has_reference,
              *[f"CPU us {name}" for name in names], *["Tern needs less by"] * has_reference]
    body = [[line.label, line.figure.unit, *[number_text(line.values[name]) for name in names],
             *[ratio_text(line.ratios)] * has_reference,
             *[number_text(line.cpu_us.get(name)) for name in names],
             *[ratio_text(line.cpu_ratios)] * has_reference] for line in lines]
    if with_demands:
        header += ["at least", "met"]
        for line, cells in zip(lines, body):
            cells += [line.demand_text(), line.met_text()]
    return header, body


def others_table(lines):
    lines = [line for line in lines if set(line.values) - {"Tern", "reference"}]
    names = [name for name in ("Tern", "bare", "nng", "nanomsg")
             if any(name in line.values for line in lines)]
    header = ["row", "unit", *names, "Tern to bare", *[f"CPU us {name}" for name in names]]
    return header, [[line.label, line.figure.unit,
                     *[number_text(line.values.get(name)) for name in names],
                     ratio_text(line.bare_ratios),
                     *[number_text(line.cpu_us.get(name)) for name in names]] for line in lines]


def micro_table(micro):
    return (["micro-benchmark", "per", "CPU ns"],
            [[name, "item" if items else "call", number_text(1e9 / items if items else time_ns)]
             for name, time_ns, items in micro])


def markdown_table(header, body):
    align = ["---", "---"] + ["---:"] * (len(header) - 2)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, align, *body))


def plain_table(header, body):
    widths = [max(len(row[column]) for row in (header, *body)) for column in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))).rstrip()
                     for row in (header, *body))


def plain(lines, micro, has_reference, with_demands):
    tables = (main_table(lines, has_reference, with_demands), others_table(lines),
              micro_table(micro))
    return "\n\n".join(plain_table(*table) for table in tables if table[1])


# The report

def machine():
    model = "unknown processor"
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
        model = re.search(r"model name\s*:\s*(.*)", text).group(1)
    except (OSError, AttributeError):
        pass
    return f"{model}, {os.cpu_count()} logical processors, {platform.machine()}"


def commands_text(rows):
    text = []
    for row in rows:
        commands = row.command_lines("Tern", "ENDPOINT", row.count)
        text.append(f"{row.name}: " + " & ".join(map(shlex.join, commands)))
        for name in row.others:
            command, = row.command_lines(name, "ENDPOINT", row.count_for(name, False))
            text.append(f"  {name}: {shlex.join(command)}")
    return "\n".join(text)


def summary(lines):
    judged = [line for line in lines if line.shortfalls() is not None]
    met = sum(not line.shortfalls() for line in judged)
    return f"{met} of {len(judged)} lines meet what is demanded of them." if judged else ""


def write(path, options, versions, rows, lines, micro, failures):
    has_reference = len(versions) > 1
    libraries = "\n".join(f"- {name}: `{file}`, zmq_version {version}"
                          for name, file, version in versions)
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    note = " (--quick: the figures mean nothing)" if options.quick else ""
    sections = []
    if lines:
        sections.append(f"""{markdown_table(*main_table(lines, has_reference))}

Ratios: median over the rounds, with the smallest and the largest. Above 1, Tern is better: more
messages per second, less time, less memory, less CPU. CPU: user and system time of all processes
per message, round trip or call; where a row makes many connections first, without these. "at least"
is demanded of the median ratio, besides no more CPU than the reference; "met" names what falls
short. {summary(lines)}""")
        if has_reference:
            sections.append("![ratios](results.svg)")
    others = others_table(lines)
    if others[1]:
        sections.append(f"""## Bare sockets and other libraries

Bare: blocking sockets with the same framing, writes of 64 KiB, no queues; the limit of any library.
"Tern to bare": Tern's rate divided by theirs, or their time by Tern's.

{markdown_table(*others)}""")
    if micro:
        sections.append(f"""## Micro-benchmarks

Parts of Tern alone, in one thread; an item is one message or one topic.

{markdown_table(*micro_table(micro))}""")
    if failures:
        sections.append("## Failed\n\n" + "\n".join(f"- {failure}" for failure in failures))
    body = "\n\n".join(sections)
    path.write_text(f"""# Benchmark results

Written by `perf/compare.py`; the method is in [README.md](README.md).

- date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC
- machine: {machine()}
- kernel: {platform.system()} {platform.release()}
- load average at the end: {load}
{libraries}
- runs per row and contestant: {options.runs}{note}

{body}

## Commands

ENDPOINT is a fresh one of the row's transport.

```
{commands_text(rows)}
```
""")
    plotted = [line for line in lines if usable(line.ratios)]
    if plotted:
        path.with_name("results.svg").write_text(bar_plot(plotted))


def usable(ratios):
    return bool(ratios) and median(ratios) > 0


def bar_plot(lines):
    """Horizontal bars on a logarithmic scale; the line at 1 is the reference, marks are demands."""
    label_width, plot_width, row_height, top = 470, 520, 26, 60
    values = [median(ratios) for line in lines for ratios in (line.ratios, line.cpu_ratios)
              if usable(ratios)] + [line.figure.at_least for line in lines if line.figure.at_least]
    low = max(-5, min(-1, math.floor(math.log2(min(values)))))
    high = min(11, max(1, math.ceil(math.log2(max(values)))))

    def x(value):  # what lies beyond ends at the edge, with its number
        power = min(high, max(low, math.log2(value)))
        return label_width + (power - low) / (high - low) * plot_width

    bottom = top + row_height * len(lines)
    parts = []

    def text(left, height, content, anchor="start"):
        parts.append(f'<text x="{left:.1f}" y="{height:.1f}" text-anchor="{anchor}">'
                     f'{html.escape(content)}</text>')

    def box(left, right, height, thickness, color):
        parts.append(f'<rect x="{left:.1f}" y="{height}" width="{right - left:.1f}" '
                     f'height="{thickness}" fill="{color}"/>')

    def bar(value, height, color, mark=None):
        left, right = sorted((x(1), x(value)))
        box(left, right, height, 9, color)
        if mark and right - 5 < x(mark) < right + 40:  # the number goes behind it
            right = x(mark)
        text(right + 5, height + 9, f"{value:.2f}")

    text(label_width, 20, "How many times Tern is better than the reference (logarithmic)")
    for left, width, color, meaning in ((0, 11, "#1f6f8b", "rate, time or memory"),
                                        (170, 11, "#99a8b2", "CPU time"),
                                        (270, 3, "#c0392b", "at least")):
        box(label_width + left, label_width + left + width, 30, 11, color)
        text(label_width + left + 16, 40, meaning)
    for power in range(low, high + 1):
        color = "#333" if power == 0 else "#ddd"
        parts.append(f'<line x1="{x(2.0 ** power):.1f}" y1="{top - 6}" x2="{x(2.0 ** power):.1f}" '
                     f'y2="{bottom}" stroke="{color}"/>')
        text(x(2.0 ** power), bottom + 16, f"{2 ** power}" if power >= 0 else f"1/{2 ** -power}",
             "middle")
    for index, line in enumerate(lines):
        height = top + row_height * index
        text(label_width - 10, height + 15, line.label, "end")
        if usable(line.ratios):
            bar(median(line.ratios), height + 2, "#1f6f8b", line.figure.at_least)
        if usable(line.cpu_ratios):
            bar(median(line.cpu_ratios), height + 12, "#99a8b2")
        if line.figure.at_least:
            box(x(line.figure.at_least) - 1.5, x(line.figure.at_least) + 1.5, height, 13, "#c0392b")
    width = label_width + plot_width + 60
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 28}" '
            f'font-family="sans-serif" font-size="12">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")
