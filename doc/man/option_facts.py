"""What the library's sources say about its options: names, types, ranges, defaults, who, and when.

Read from the sources themselves, so that the manual can not tell another story than the library: the table in
src/socket/options.cpp, the switch in src/socket/context_options.cpp, and the defaults and units in the structs that these
point to. Reading, not compiling, because the manual also describes options that this build leaves out.
"""
import pathlib
import re

INT_MAX, INT_MIN, INT64_MAX = 2**31 - 1, -2**31, 2**63 - 1
CONSTANTS = {"INT_MAX": INT_MAX, "INT_MIN": INT_MIN, "INT64_MAX": INT64_MAX}
# What the last words of a member's name say about its unit.
UNITS = {"kbit_s": "kbit/s", "deciseconds": "ms", "ms": "ms", "us": "us", "s": "s", "kib": "KiB"}


class Unreadable(Exception):
    """The sources have a shape that this file does not know."""


class Option:
    """One option. `least` and `most` bound the value of an integer and the length of everything else."""

    def __init__(self, name):
        self.name = name
        self.kind = "int"  # int, int64, uint64, text, bytes, key
        self.least, self.most = INT_MIN, INT_MAX
        self.is_boolean = False
        self.unit = None
        self.default = None  # text for people; None: the sources do not say
        self.set_types = self.get_types = None  # sets of socket type names; None: all of them
        self.can_set = self.can_get = True
        self.clears_with_null = False
        self.acts = "now"  # now, endpoint, bind, connect, peer, never


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def split(text, separator=","):
    """Cut at the separators that stand outside all brackets and strings."""
    parts, depth, start, in_string = [], 0, 0, False
    for at, c in enumerate(text):
        if c == '"':
            in_string = not in_string
        elif in_string:
            continue
        elif c in "([{<":
            depth += 1
        elif c in ")]}>":
            depth -= 1
        elif c == separator and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def as_call(text):
    """`name<...>(a, b)` as (name, [a, b]), or None."""
    match = re.match(r"(\w+)\s*\((.*)\)$", text, re.S)
    return (match.group(1), split(match.group(2))) if match else None


def block(text, opening):
    """What stands between the braces that follow `opening`."""
    start = text.find(opening)
    if start < 0:
        raise Unreadable(f"no {opening!r}")
    start = text.index("{", start + len(opening) - 1) + 1
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[start:at]
    raise Unreadable(f"{opening!r} has no end")


def number(text):
    text = text.strip()
    return CONSTANTS[text] if text in CONSTANTS else int(text)


class Members:
    """The members of the structs that hold values: type and default by name."""

    DECLARATION = re.compile(r"^ +(?:static constexpr )?(bool|int|int64_t|uint64_t|std::string|CurveKey|mechanism_id)"
                             r" (\w+)(?: = ([^;]+)|\{\})?;", re.M)

    def __init__(self, source, files):
        self.members = {}
        for file in files:
            for kind, name, value in self.DECLARATION.findall(without_comments((source / file).read_text())):
                self.members[name] = (kind, value.strip())

    def default(self, name):
        kind, value = self.members[name]
        if value in self.members: # one named in the struct itself
            return self.default(value)
        if kind == "std::string":
            return "empty"
        if kind == "CurveKey":
            return "zeros"
        if kind == "bool":
            return "1" if value == "true" else "0"
        return str(number(value))

    def describe(self, option, name):
        if name not in self.members:
            raise Unreadable(f"{option.name}: no member {name}")
        option.is_boolean = self.members[name][0] == "bool"
        option.default = self.default(name)
        words = name.split("_")
        for count in (2, 1):
            option.unit = option.unit or UNITS.get("_".join(words[-count:]))


class SocketTable:
    """Reads the rows of src/socket/options.cpp."""

    KINDS = {"integer": "int", "loose_integer": "int", "unsigned64": "uint64", "signed64": "int64", "binary": "bytes",
             "text": "text", "key": "key"}
    EFFECTS = {"live": "now", "endpoint": "endpoint", "bind": "bind", "connect": "connect", "new_peer": "peer", "none": "never"}

    def __init__(self, root):
        source = root / "src"
        self.text = without_comments((source / "socket/options.cpp").read_text())
        self.members = Members(source, ["socket/options.hpp", "link/link_options.hpp",
                                        "transport/transport_options.hpp", "security/security_options.hpp"])
        self.ranges = {name: (number(least), number(most)) for name, least, most
                       in re.findall(r"constexpr Range (\w+)\{(\S+), (\S+)\};", self.text)}
        self.effects = dict(re.findall(r"constexpr auto (\w+) = Effect::(\w+);", self.text))
        self.masks = {}
        for name, value in re.findall(r"constexpr uint32_t (\w+) =([^;]+);", self.text):
            if name != "bit":
                self.masks[name] = self.mask(value)
        self.strangers = set()  # wrappers that are not known

    def mask(self, text):
        """(is complement, socket types)"""
        text = text.strip()
        if text in ("~uint32_t(0)", "all_types"):
            return True, frozenset()
        if text.startswith("~"):
            complement, types = self.mask(text[1:])
            return not complement, types
        types = set()
        for part in split(text, "|"):
            match = re.match(r"bit\(ZMQ_(\w+)\)$", part)
            if match:
                types.add(match.group(1))
            elif part in self.masks and not self.masks[part][0]:
                types |= self.masks[part][1]
            else:
                raise Unreadable(f"socket types {part!r}")
        return False, frozenset(types)

    def range(self, text):
        if text in self.ranges:
            return self.ranges[text]
        match = re.match(r"\{(\S+), (\S+)\}$", text)
        if not match:
            raise Unreadable(f"range {text!r}")
        return number(match.group(1)), number(match.group(2))

    def rows(self):
        return [self.row(text) for text in split(block(self.text, "constexpr OptionRow table[] = "))]

    def row(self, text):
        call = as_call(text)
        if not call:
            raise Unreadable(f"row {text[:60]!r}")
        name, arguments = call
        if name in ("integer", "text", "binary"):
            return self.plain(self.KINDS[name], arguments[0], arguments[2:])
        if name == "row":
            return self.plain(self.kind(arguments[2]), arguments[0], arguments[3:])
        if name == "live":
            option = Option(arguments[0].strip('"'))
            option.kind = self.kind(arguments[2])
            option.can_set = False
            if len(arguments) > 3:
                option.get_types = self.mask(arguments[3])
            return option
        option = self.row(arguments[-1])
        if name == "pattern":
            option.set_types = self.mask(arguments[0])
            option.can_get = False
        elif name == "set_only":
            option.can_get = False
        elif name == "get_only":
            option.can_set = False
        elif name == "set_by":
            option.set_types = self.mask(arguments[0])
        elif name == "null_is":
            option.clears_with_null = "clears" in arguments[0]
        elif name != "built":
            self.strangers.add(name)
        return option

    def kind(self, text):
        return self.KINDS[text.replace("Value::", "")]

    def plain(self, kind, name, arguments):
        option = Option(name.strip('"'))
        option.kind = kind
        option.least, option.most = self.range(arguments[0])
        effect = arguments[1].replace("Effect::", "")
        option.acts = self.EFFECTS[self.effects.get(effect, effect)]
        option.is_boolean = (option.least, option.most) == (0, 1)
        slot = re.match(r"(?:own|link|transport|security)<&\w+::(\w+)>$", arguments[2]) if len(arguments) > 2 else None
        if slot:
            self.members.describe(option, slot.group(1))
        return option


def context_options(root):
    """Reads the two switches of src/socket/context_options.cpp."""
    source = root / "src"
    members = Members(source, ["socket/context_options.hpp"])
    text = without_comments((source / "socket/context_options.cpp").read_text())
    options = {}

    def cases(function):
        body = block(text, f"{function}(")
        for name, statement in re.findall(r"case (ZMQ_\w+):(.*?)(?=case |default:)", body, re.S):
            option = options.setdefault(name, Option(name))
            option.acts = "never"  # the text says when
            yield option, statement

    settable, gettable = set(), set()
    for option, statement in cases("Error set_number"):
        settable.add(option.name)
        match = re.search(r"store_at_least\(options\.(\w+), (-?\d+), number\)", statement)
        boolean = re.search(r"store_bool\(options\.(\w+), number\)", statement)
        if match:
            members.describe(option, match.group(1))
            option.least = int(match.group(2))
        elif boolean:
            members.describe(option, boolean.group(1))
            option.least = 0
        elif "number < 0" in statement or "erase(number)" in statement:
            option.least = 0
        if "thread_name_prefix" in statement:
            option.kind, option.least, option.most = "text", 1, int(re.search(r"name_prefix_max = (\d+)", text).group(1))
            option.default = "empty"
    for option, statement in cases("Result<int> get_number"):
        gettable.add(option.name)
        match = re.search(r"ContextOptions::(\w+)", statement)
        if match:
            members.describe(option, match.group(1))
    for option in options.values():
        option.can_set, option.can_get = option.name in settable, option.name in gettable
    return sorted(options.values(), key=lambda option: option.name)


def socket_options(root):
    """(options by name, wrappers of the table that this file does not know)"""
    table = SocketTable(pathlib.Path(root))
    return sorted(table.rows(), key=lambda option: option.name), sorted(table.strangers)
