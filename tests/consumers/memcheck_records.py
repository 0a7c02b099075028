"""What valgrind memcheck wrote down of the processes of one run, from its XML files."""
import os
import re
import signal
from xml.etree import ElementTree

CRASHES = {int(number) for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE,
                                      signal.SIGABRT)}


def command(folder, leaks):
    """The words before a program's own. Forty frames: libzmq's may stand deep under the C library's."""
    return ["valgrind", "--tool=memcheck", "--leak-check=full", f"--show-leak-kinds={leaks}",
            f"--errors-for-leak-kinds={leaks}", "--num-callers=40", "--trace-children=yes",
            "--child-silent-after-fork=no", "--xml=yes", f"--xml-file={folder}/memcheck.%p.xml"]


class Record:
    """One error or leak."""

    def __init__(self, element):
        self.kind = element.findtext("kind")
        self.lines, self.objects = [], set()
        for part in element:
            if part.tag in ("what", "auxwhat"):
                self.lines.append(part.text)
            elif part.tag in ("xwhat", "xauxwhat"):
                self.lines.append(part.findtext("text"))
            elif part.tag == "stack":
                for frame in part:
                    self.read(frame)

    def read(self, frame):
        path = os.path.realpath(frame.findtext("obj", ""))
        self.objects.add(path)
        place = f"{frame.findtext('file')}:{frame.findtext('line')}" if frame.find("line") is not None else path
        self.lines.append(f"  {frame.findtext('fn', '?')} ({place})")

    def is_leak(self):
        return self.kind.startswith("Leak_")

    def text(self, lines=30):
        return "\n".join(f"    | {line}" for line in [self.kind, *self.lines][:lines])


class ProcessFile:
    """What one process wrote, to where it was cut if the process was killed."""

    def __init__(self, path):
        self.records, self.parent, self.killer = [], None, None
        states = []
        try:
            for _, element in ElementTree.iterparse(path):
                if element.tag == "error":
                    self.records.append(Record(element))
                    element.clear()
                elif element.tag == "ppid":
                    self.parent = int(element.text)
                elif element.tag == "state":
                    states.append(element.text)
                elif element.tag == "fatal_signal":
                    self.killer = int(element.findtext("signo"))
        except ElementTree.ParseError:
            pass
        self.is_complete = "FINISHED" in states
        # Leaks mean nothing in a process that had no chance to free: one that a signal ended, and one that was merely
        # forked, which has its parent's blocks but not its threads. Only one that was executed says that it is running.
        self.leaks_count = not self.killer and "RUNNING" in states

    def crash(self):
        return f"a process died of {signal.Signals(self.killer).name}" if self.killer in CRASHES else None


def process_files(folder):
    for name in sorted(os.listdir(folder)):
        if re.fullmatch(r"memcheck\.\d+\.xml", name):
            yield ProcessFile(os.path.join(folder, name))
