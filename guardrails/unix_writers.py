# SPDX-License-Identifier: Apache-2.0
"""Programs of Linux and macOS that write the files which their arguments name: a closed table.

Each row says which options and operands are written, which are taken away, and with which options
the program only looks; guardrails.unix_outputs reads a command by it. A program that no argument
makes write has no row here and stands among the plain looks (guardrails.unix_programs).
"""
# ruff: noqa: E501 - tables

from dataclasses import dataclass, fields
from typing import Final, Literal

from guardrails.program_rows import index_rows

Operands = Literal["none", "all", "last", "first", "second", "from second"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """What one program writes.

    Attributes:
        written: options whose value is written, or is the folder that is written into.
        valued: other options that take a value.
        operands: which of the other words are written.
        instead: options that stand for what is written otherwise: all operands are sources.
        looks: options with which no operand is written.
        reads: options with which nothing is.
        removed_operands: which operands are taken away.
        removing_options: options that take all operands away.
        edits: options that write all operands.
        script: options that stand for the first operand, which is no file otherwise.
        unpacks: options with which the archive, `-f`, is read.
        extracts_anywhere: without one of `looks` it writes what an archive or a patch names, anywhere.
        path_traversal: options with which what an archive names may lie outside of the folder.
        extracts_within: options with which it writes within one folder all the same.
        keeping_options: options with which no operand is taken away.
        spreads: when it writes files whose names come from elsewhere (an archive, a server, a
            folder that is copied) into one folder: always, with `unpacks`, or with `named_afar`.
        into: options whose value is that folder; without one it is the last operand that is
            written, or the working folder.
        named_afar: options with which a server names the file.
        single: options that name the one file which is written instead.
        unnamed: the file that it writes in the working folder where none is named.

    """

    written: frozenset[str]
    valued: frozenset[str]
    operands: Operands
    instead: frozenset[str]
    looks: frozenset[str]
    reads: frozenset[str]
    removed_operands: Literal["none", "all", "sources"]
    removing_options: frozenset[str]
    edits: frozenset[str]
    script: frozenset[str]
    unpacks: frozenset[str]
    extracts_anywhere: bool
    path_traversal: frozenset[str]
    extracts_within: frozenset[str]
    keeping_options: frozenset[str]
    spreads: Literal["never", "always", "unpacking", "named afar"]
    into: frozenset[str]
    named_afar: frozenset[str]
    single: frozenset[str]
    unnamed: str

    @property
    def with_values(self) -> frozenset[str]:
        """Options that take a value."""
        return self.written | self.valued | self.into

    @property
    def options(self) -> frozenset[str]:
        """All options that the row knows."""
        return frozenset().union(
            self.written, self.valued, self.instead, self.looks, self.reads, self.removing_options,
            self.edits, self.script, self.unpacks, self.path_traversal, self.extracts_within,
            self.keeping_options, self.into, self.named_afar, self.single,
        )  # fmt: skip


def make_writer(written: str = "", **rest: str | bool) -> Writer:
    """Return a row: names of options as words, the other fields as they are.

    Raises:
        ValueError: `rest` names no field.

    """
    plain = {
        "operands": "none", "removed_operands": "none", "extracts_anywhere": False,
        "spreads": "never", "unnamed": "",
    }  # fmt: skip
    if unknown := rest.keys() - {each.name for each in fields(Writer)}:
        raise ValueError(f"a writer has no {', '.join(sorted(unknown))}")
    sets = {
        each.name: frozenset(str(rest.get(each.name, "")).split())
        for each in fields(Writer)
        if each.name not in plain
    }
    chosen = {name: rest.get(name, default) for name, default in plain.items()}
    return Writer(**{**sets, **chosen, "written": frozenset(written.split())})  # type: ignore[arg-type]


_INTO: Final = "-t --target-directory"
_PACKS: Final = make_writer(
    "-o --output",
    operands="all",
    removed_operands="all",
    looks="-c --stdout --to-stdout -l --list -t --test -L --license -V --version -h --help",
    valued="--suffix -S -T -M --threads --memlimit",
    keeping_options="-k --keep",
)
_PACKS_BESIDE: Final = make_writer(
    "-o --output-dir-flat --output-dir-mirror",
    operands="all",
    removing_options="--rm -m",
    looks="-l --list -t --test",
    valued="-D -T -M -S --threads --memory",
)
_WRITERS: Final = (
    ("uniq", make_writer(valued="-f -s -w --skip-fields --skip-chars --check-chars", operands="second")),
    ("sort", make_writer("-o --output", valued="-k -t -S -T --key --field-separator --buffer-size --temporary-directory --compress-program --parallel --batch-size --files0-from --random-source --sort")),
    ("shuf", make_writer("-o --output", valued="-i -n --input-range --head-count --random-source")),
    ("csplit", make_writer("-f --prefix", valued="-b -n --suffix-format --digits", unnamed="xx00")),
    ("split", make_writer(operands="second", unnamed="xaa", valued="-a -b -C -l -n -t --suffix-length --bytes --line-bytes --lines --number --filter --separator --additional-suffix")),
    ("tree", make_writer("-o", valued="-L -P -I -H -T --filelimit --timefmt --sort --charset --du")),
    ("xxd", make_writer(operands="second", valued="-c -cols -g -groupsize -l -len -s -seek -o -n -name -R -d")),
    ("sdiff", make_writer("-o --output", valued="-w -I --width --ignore-matching-lines --diff-program")),
    ("mktemp", make_writer("-p --tmpdir", valued="--suffix -t", operands="all")),
    ("touch", make_writer(operands="all", valued="-d -t -r -A --date --time --reference")),
    ("mkdir mkfifo", make_writer(operands="all", valued="-m --mode --context")),
    ("mknod", make_writer(operands="first", valued="-m --mode --context")),
    ("cp", make_writer(_INTO, valued="-S --suffix --sparse --backup --no-preserve --preserve --reflink --context", operands="last", instead=_INTO, looks="--attributes-only")),
    ("ln", make_writer(_INTO, valued="-S --suffix --backup", operands="last", instead=_INTO)),
    ("install", make_writer(_INTO, valued="-m -o -g -S -b -B -f -D --mode --owner --group --suffix --backup --strip-program --context", operands="last", instead=_INTO)),
    ("mv", make_writer(_INTO, valued="-S --suffix --backup --context --update", operands="last", instead=_INTO, removed_operands="sources")),
    ("ditto", make_writer(spreads="always", valued="--arch --bom --zlibCompressionLevel", operands="last")),
    ("rsync", make_writer("--log-file --backup-dir --partial-dir --temp-dir -T --write-batch --only-write-batch", valued="-e --rsh --exclude --include --exclude-from --include-from --files-from --filter -f --chmod --chown --bwlimit --max-size --min-size --port --timeout --info --debug --out-format --password-file --compare-dest --copy-dest --link-dest --suffix -B -M --rsync-path", operands="last", spreads="always", looks="-n --dry-run --list-only")),
    ("tee", make_writer(operands="all", valued="--output-error")),
    ("script", make_writer("-O -B -I -T -t --log-out --log-in --log-io --log-timing --timing", operands="first", valued="-c -E -m -o --command --echo --logging-format --output-limit")),
    ("base64", make_writer("-o --output", valued="-w -b -i --wrap --break --input")),
    ("gzip gunzip bzip2 bunzip2 xz unxz compress uncompress", _PACKS),
    ("zstd unzstd zstdcat", _PACKS_BESIDE),
    ("lz4", make_writer(operands="from second", removing_options="--rm", looks="-c --stdout -t --test --list", valued="-D")),
    ("zip", make_writer("-O --output-file --out -b --temp-path -lf --logfile-path", operands="first", removing_options="-m --move", valued="-x -i -n -P -t -tt -Z -s --exclude --include --suffixes --password", looks="-h -v -L")),
    ("unzip", make_writer("-d", into="-d", spreads="always", valued="-x -P", looks="-l -t -p -c -v -z -Z -h --help")),
    ("tar bsdtar gtar", make_writer("-f --file -C --directory --index-file --listed-incremental -g", valued="--exclude -X --exclude-from -T --files-from --strip-components --transform --xform -b -s --owner --group --mode --mtime -K -N -H --format --level --occurrence --warning", reads="-t --list -d --diff --compare", unpacks="-x --extract --get", removing_options="--remove-files --recursive-unlink", path_traversal="-P --absolute-names --absolute-paths", spreads="unpacking", into="-C --directory")),
    ("cpio", make_writer("-O -F --file", operands="last", valued="-I -H --format -R --owner -E --pattern-file -M -C --io-size", looks="-t --list -o --create", extracts_anywhere=True, extracts_within="-p --pass-through --no-absolute-filenames", spreads="always", into="-D --directory")),
    ("pax", make_writer("-f", operands="last", valued="-b -s -x -o -B -E -G -U -T", unpacks="-r", extracts_anywhere=True, spreads="unpacking")),
    ("ar", make_writer("--output", operands="first", valued="--target --plugin", looks="-t -p --version --help", extracts_anywhere=True, extracts_within="-r -q -d -m -s")),
    ("dos2unix unix2dos mac2unix unix2mac", make_writer(operands="all", valued="-D -c", looks="-O --to-stdout -i --info -h -V")),
    ("yq", make_writer(edits="-i --inplace --in-place -s --split-exp", script="-f --from-file", valued="-I -o -p --indent --output-format --input-format --arg --argjson")),
    ("xmllint", make_writer("-o --output", valued="--xpath --schema --relaxng --encode --path --maxmem --pattern --dtdvalid --schematron")),
    ("iconv", make_writer("-o --output", valued="-f -t --from-code --to-code")),
    ("rename prename", make_writer(valued="-e -f", operands="all", removed_operands="all", looks="-n --no-act --nono -V -h")),
    ("patch", make_writer("-o --output -d --directory -r --reject-file", valued="-p -F -i -B -b -D -V -Y -z -g --strip --fuzz --input --prefix --suffix --ifdef --version-control --get", operands="first", extracts_anywhere=True, looks="--dry-run -C --check --version -v")),
    ("uudecode", make_writer("-o", looks="-p", extracts_anywhere=True, extracts_within="-o")),
    ("msgfmt", make_writer("-o --output-file -d", valued="-D -l -L --directory --locale --resource")),
    ("sar", make_writer("-o", valued="-f -s -e -i -P -n -I")),
    ("atop", make_writer("-w", valued="-r -b -e -P -L")),
    ("blkid", make_writer("-c --cache-file", valued="-n -o -s -t -u -O -S -L -U --match-tag --match-token --output --offset --size")),
    ("lshw", make_writer("-dump", valued="-class -C -disable -enable")),
    ("hwinfo", make_writer("--log --dump-db", valued="--only")),
    ("inxi", make_writer("--output-file", valued="--output -c -t -W --weather-unit")),
    ("dmidecode", make_writer("--dump-bin", valued="-s -t -d --string --type --dev-mem --from-dump --handle -H --oem-string")),
    ("powertop", make_writer("--html -r --csv -C --debug", valued="-t -i --time --iteration")),
    ("coredumpctl", make_writer("-o --output", valued="-F --field -D --directory -S -U --since --until --file --root")),
    ("sample", make_writer("-file", valued="-mode")),
    ("spindump", make_writer("-o -file -openedfile", valued="-i")),
    ("leaks heap vmmap", make_writer("--outputGraph -outputGraph --graph", valued="-exclude")),
    ("powermetrics", make_writer("-o -u --output-file", valued="-i -n -s -f -r -a --samplers --sample-rate --sample-count --format --order")),
    ("sysdiagnose", make_writer("-f -A", valued="-V")),
    ("say", make_writer("-o --output-file", valued="-v -r -f -a -n --voice --rate --input-file --audio-device --network-send --quality --channels --file-format --data-format --bit-rate")),
    ("stapler", make_writer(operands="from second")),
    ("updatedb", make_writer("-o --output --localpaths", valued="-U -e -n --prunepaths --prunenames --database-root --prunefs")),
    ("info", make_writer("-o --output --dribble", valued="-d -f -k -n --directory --file --node --restore --index-search")),
    ("certtool", make_writer("--outfile", valued="--infile --template --load-certificate --load-privkey --load-ca-certificate --bits")),
    ("ssh-keygen", make_writer("-f", valued="-b -C -N -t -E -F -H -I -m -n -O -P -r -R -s -V -w -Y -z -Z -D -M -S -T -W -J -G -a -c", reads="-l -B -F -L -Q -y -e -r")),
    ("git", make_writer("--output", valued="")),
    ("plutil", make_writer("-o", edits="-convert -insert -replace -remove -create -extract", instead="-o")),
    ("sed gsed", make_writer(edits="-i -I --in-place", script="-e -f --expression --file", valued="-l --line-length")),
    ("curl", make_writer(spreads="named afar", named_afar="-O --remote-name --remote-name-all -J --remote-header-name", into="--output-dir", written="-o --output --output-dir -D --dump-header -c --cookie-jar --trace --trace-ascii --stderr --etag-save --hsts --alt-svc", valued="-A -b -d -e -E -F -H -K -m -r -T -u -U -w -x -X -y -Y -z -C --max-time --connect-timeout --retry --header --data --user --proxy --request --url --write-out --cacert --resolve --user-agent")),
    ("wget", make_writer(spreads="always", into="-P --directory-prefix", single="-O --output-document", looks="--spider -V --version -h --help", written="-O --output-document -P --directory-prefix -o --output-file -a --append-output --save-cookies --warc-file", valued="-U -t -T -Q -w -i -e -l -A -R -D -I -X --header --user --password --tries --timeout --user-agent")),
    ("openssl", make_writer("-out -keyout -writerand -CAserial -sess_out -outform_file -caserial", valued="")),
    ("gpg gpg2", make_writer("-o --output --export-dir --logger-file --log-file --status-file", valued="-r -u -c --homedir --keyring")),
    ("nmap", make_writer("-oN -oX -oG -oA -oS", valued="-p")),
    ("tcpdump tshark dumpcap", make_writer("-w", valued="-i -r -c -s")),
    ("clamscan clamdscan", make_writer("-l --log --move --copy --tempdir", valued="-d -f --database --file-list --exclude --include --max-filesize")),
    ("gtk-update-icon-cache update-desktop-database update-mime-database fc-cache", make_writer(operands="all")),
    ("depmod", make_writer("-o --outdir -b --basedir", valued="-C -E -F -P --config --filesyms")),
    ("journalctl", make_writer("--cursor-file --output-file", valued="-u -t -n -p -S -U -o -b -F -D -M --unit --since --until --lines --priority --output --identifier --boot")),
    ("screencapture scrot import xwd", make_writer("-out", operands="last")),
)  # fmt: skip
WRITERS: Final = index_rows(_WRITERS)
