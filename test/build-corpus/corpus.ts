// Dockerfiles of all common forms, each built by this program and by another builder. `base:1` is busybox with a few users; the context is `context.ts`.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a Dockerfile's

export interface Case {
  readonly name: string;
  readonly text: string;
  /** The builder to compare with. Absent: the builder of Docker 20.10. */
  readonly by?: 'buildah';
  /** Paths and fields that are not compared, because the other builder differs from BuildKit there. */
  readonly but?: {
    readonly why: string;
    readonly owners?: boolean;
    readonly paths?: readonly string[];
    readonly config?: readonly string[];
  };
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
}

const B = 'FROM base:1\n';
const S = 'FROM scratch\n';
/** Has one layer, because Docker cannot save an image without any. */
const C = 'FROM scratch\nCOPY a.txt /\n';
const CHOWN = { why: "Docker's old builder gives an archive's files to whom the archive says", owners: true };

export const CORPUS: readonly Case[] = [
  // Images as mkimage builds them of overlays: one archive, with or without a base.
  { name: 'overlay', but: CHOWN, text: `${S}ADD --chown=0:0 ovl.tar /\nCMD ["/bin/controller"]` },
  { name: 'overlay-keeps-owners', text: `${S}ADD ovl.tar /\nCMD ["/bin/controller"]` },
  { name: 'from-local-image', but: CHOWN, text: `${B}ADD --chown=0:0 ovl.tar /\nCMD ["/bin/controller"]` },
  {
    name: 'run-add-cmd',
    but: CHOWN,
    text: `${B}RUN mkdir -p /opt/jq && echo jq > /opt/jq/jq\nADD --chown=0:0 ovl.tar /\nCMD ["/bin/controller"]`,
  },
  { name: 'entrypoint', text: `${S}ADD ovl.tar /\nENTRYPOINT ["/bin/controller", "-v"]\nCMD ["--help"]` },
  {
    name: 'workdir-label',
    text: `${S}WORKDIR /srv/app\nLABEL org.example.name="x y" version=1\nADD ovl.tar .\nCMD ["./bin/controller"]`,
  },
  { name: 'copy-archive-as-file', text: `${S}COPY ovl.tar /ovl.tar` },
  { name: 'copy-archive-to-directory', text: `${S}COPY ovl.tar /data/` },
  { name: 'add-below', but: CHOWN, text: `${S}ADD --chown=5:6 ovl.tar /opt/ovl` },
  { name: 'add-over-links', text: `${B}RUN mkdir /usr2 && ln -s usr2 /lib2\nADD links.tar /` },

  // COPY.
  { name: 'copy-file', text: `${S}COPY a.txt /` },
  { name: 'copy-file-renamed', text: `${S}COPY a.txt /b.txt` },
  { name: 'copy-file-new-directory', text: `${S}COPY a.txt /new/deep/b.txt` },
  { name: 'copy-several', text: `${S}COPY a.txt run.sh /bin/` },
  { name: 'copy-directory', text: `${S}COPY tree /tree` },
  { name: 'copy-directory-slash', text: `${S}COPY tree/ /tree/` },
  { name: 'copy-directory-into-root', text: `${S}COPY tree /` },
  { name: 'copy-all', text: `${S}COPY . /` },
  { name: 'copy-all-to-workdir', text: `${S}WORKDIR /w\nCOPY . .` },
  { name: 'copy-glob', text: `${S}COPY *.txt /t/` },
  { name: 'copy-glob-question', text: `${S}COPY ?.txt /t/` },
  { name: 'copy-glob-class', text: `${S}COPY [ab].txt /t/` },
  { name: 'copy-glob-directories', text: `${S}COPY tre? /t/` },
  { name: 'copy-glob-below', text: `${S}COPY tree/*/x /t/` },
  { name: 'copy-json', text: `${S}COPY ["a.txt", "with blank.txt", "/to here/"]` },
  { name: 'copy-absolute-source', text: `${S}COPY /tree/sub /s` },
  { name: 'copy-relative', text: `${S}WORKDIR /a/b\nCOPY a.txt ../c/\nCOPY b.txt ./` },
  { name: 'copy-relative-file', text: `${S}WORKDIR /a\nCOPY a.txt x/y` },
  { name: 'copy-twice-overwrites', text: `${S}COPY a.txt /f\nCOPY b.txt /f` },
  { name: 'copy-merges-directories', text: `${S}COPY tree /t\nCOPY tree2 /t` },
  { name: 'copy-into-existing', text: `${B}COPY a.txt /tmp/\nCOPY tree /etc` },
  { name: 'copy-into-existing-without-slash', text: `${B}COPY a.txt /tmp` },
  { name: 'copy-chown-numbers', text: `${S}COPY --chown=12:34 tree /t` },
  { name: 'copy-chown-names', text: `${B}COPY --chown=bob:staff a.txt /x\nCOPY --chown=bob tree /t` },
  { name: 'copy-chown-new-parents', text: `${S}COPY --chown=5:6 a.txt /n/m/` },
  {
    name: 'copy-destination-link',
    text: `${B}RUN mkdir /real && ln -s real /lnk && ln -s /real /abs\nCOPY a.txt /lnk/\nCOPY b.txt /abs`,
  },
  { name: 'copy-to-variable', text: `${S}ENV D=/d F=a\nCOPY \${F}.txt $D/` },
  { name: 'copy-executable', text: `${S}COPY run.sh /run.sh` },
  { name: 'copy-empty-file', text: `${S}COPY empty /e/` },
  { name: 'copy-deep', text: `${S}COPY tree/sub/deep /x` },
  { name: 'copy-chmod', by: 'buildah', text: `${S}COPY --chmod=0640 a.txt /x\nCOPY --chmod=755 b.txt /y` },
  { name: 'add-file', text: `${S}ADD a.txt /x/` },
  { name: 'add-directory', text: `${S}ADD tree /t` },
  { name: 'add-not-an-archive', text: `${S}ADD fake.tar /` },
  { name: 'add-gzip', text: `${S}ADD ovl.tar.gz /` },
  { name: 'add-bzip2', text: `${S}ADD ovl.tar.bz2 /` },
  { name: 'add-xz', text: `${S}ADD ovl.tar.xz /` },
  { name: 'add-archive-and-file', text: `${S}ADD ovl.tar a.txt /d/` },

  // Configuration.
  {
    name: 'env-forms',
    text: `${C}ENV a=1 b="two words" c='single $a' d=back\\ slash e=\nENV old form with  blanks\nENV f=$a g=\${b} h=\${x:-default} i=\${a:+set}`,
  },
  { name: 'env-snapshot', text: `${C}ENV a=1\nENV a=2 b=$a` },
  { name: 'env-quotes', text: `${C}ENV x="a \\"quoted\\" \\$word" y='it is' z=a"b"c` },
  { name: 'env-path', text: `${B}ENV PATH=/opt/bin:$PATH` },
  { name: 'label-forms', text: `${C}LABEL a=b "c d"="e f" g='h' \\\n  multi="line"\nLABEL old style\nLABEL a=again` },
  { name: 'cmd-shell', text: `${C}CMD echo $HOME "x"` },
  { name: 'cmd-exec', text: `${C}CMD ["a", "b c", "\\"q\\""]` },
  { name: 'cmd-not-json', text: `${C}CMD ['a', 'b']` },
  { name: 'cmd-empty', text: `${C}CMD ["x"]\nCMD []` },
  { name: 'entrypoint-clears-cmd', text: `${B}ENTRYPOINT ["/x"]` },
  { name: 'entrypoint-shell', text: `${C}ENTRYPOINT exec top -b` },
  { name: 'entrypoint-cmd-own', text: `${B}CMD ["own"]\nENTRYPOINT ["/x"]` },
  { name: 'shell', text: `${B}SHELL ["/bin/sh", "-ec"]\nRUN echo x > /x\nCMD foo` },
  { name: 'expose', text: `${C}ENV P=90\nEXPOSE 80 443/tcp 53/udp $P 8000-8002` },
  { name: 'volume', text: `${C}VOLUME /a /b\nVOLUME ["/c d", "/e"]` },
  { name: 'user', text: `${C}USER 5:6` },
  { name: 'user-variable', text: `${C}ARG U=7\nUSER $U` },
  { name: 'workdir-chain', text: `${C}WORKDIR /a\nWORKDIR b\nWORKDIR ../c\nENV D=/x\nWORKDIR $D/y` },
  { name: 'workdir-existing', text: `${B}WORKDIR /tmp\nWORKDIR /etc` },
  { name: 'workdir-root', text: `${C}WORKDIR /` },
  { name: 'stopsignal', text: `${C}STOPSIGNAL SIGQUIT` },
  {
    name: 'healthcheck',
    text: `${C}HEALTHCHECK --interval=30s --timeout=3s --start-period=1m --retries=4 CMD curl -f http://localhost/ || exit 1`,
  },
  { name: 'healthcheck-exec', text: `${C}HEALTHCHECK CMD ["/probe"]` },
  { name: 'healthcheck-none', text: `${C}HEALTHCHECK CMD x\nHEALTHCHECK NONE` },
  { name: 'maintainer', text: `${C}MAINTAINER Some One <some@one>` },
  { name: 'onbuild-kept', text: `${C}ONBUILD COPY a.txt /\nONBUILD RUN echo x` },
  {
    name: 'every-instruction',
    but: { why: "Docker's old builder gives a WORKDIR to root", owners: true },
    text: `${B}ARG V=1\nENV E=$V\nLABEL l=$E\nEXPOSE 1\nVOLUME /v\nUSER 1\nWORKDIR /w\nSTOPSIGNAL 9\nHEALTHCHECK CMD true\nENTRYPOINT ["e"]\nCMD ["c"]`,
  },

  // Variables of builds.
  { name: 'arg-default', text: `${C}ARG V=1\nENV x=$V` },
  { name: 'arg-given', text: `${C}ARG V=1\nENV x=$V`, args: { V: '2' } },
  { name: 'arg-global', text: `ARG BASE=base:1\nARG V=g\nFROM $BASE\nENV a=[$V]\nARG V\nENV b=[$V]` },
  { name: 'arg-env-beats', text: `${C}ARG V=1\nENV V=2\nENV x=$V`, args: { V: '3' } },
  { name: 'arg-in-run', text: `${B}ARG V=1\nARG W\nRUN echo "$V-$W" > /x`, args: { V: 'given' } },

  // RUN.
  { name: 'run-shell', text: `${B}RUN echo hello > /hello && chmod 600 /hello` },
  { name: 'run-exec', text: `${B}RUN ["/bin/sh", "-c", "echo $0 > /x", "name"]` },
  { name: 'run-continued', text: `${B}RUN mkdir /a && \\\n  # a comment\n  echo 1 > /a/1 && \\\n  echo 2 > /a/2` },
  { name: 'run-deletes', text: `${B}COPY tree /t\nRUN rm -r /t/sub && rm /bin/touch` },
  { name: 'run-replaces-directory', text: `${B}COPY tree /t\nRUN rm -r /t && mkdir /t && echo new > /t/new` },
  { name: 'run-directory-becomes-file', text: `${B}COPY tree /t\nRUN rm -r /t && echo f > /t` },
  { name: 'run-file-becomes-directory', text: `${B}COPY a.txt /t\nRUN rm /t && mkdir -p /t/d && echo f > /t/d/f` },
  { name: 'run-links', text: `${B}RUN echo x > /one && ln /one /two && ln -s /one /three` },
  { name: 'run-chown', text: `${B}RUN mkdir /d && echo x > /d/f && chown -R 1000:50 /d && chmod 2750 /d` },
  { name: 'run-touches', text: `${B}RUN chmod 600 /etc/passwd && echo >> /etc/group` },
  { name: 'run-as-user', text: `${B}USER bob\nWORKDIR /home/bob\nRUN id > id && pwd > pwd` },
  { name: 'run-as-number', text: `${B}RUN mkdir /w && chmod 777 /w\nUSER 4321\nRUN id > /w/id` },
  { name: 'run-environment', text: `${B}ENV A="x y"\nRUN env | grep -v -e HOSTNAME -e SHLVL | sort > /env` },
  { name: 'run-workdir', text: `${B}WORKDIR /deep/er\nRUN pwd > pwd && echo x > ../up` },
  { name: 'run-empty-directories', text: `${B}RUN mkdir -p /a/b/c && chmod 711 /a/b` },
  { name: 'run-fifo', text: `${B}RUN mkfifo /pipe` },
  { name: 'run-nothing', text: `${B}RUN true` },
  { name: 'run-volume', text: `${B}RUN mkdir /v && echo x > /v/kept\nVOLUME /v` },

  // Stages.
  {
    name: 'stages',
    text: `FROM base:1 AS build\nRUN mkdir /out && echo built > /out/app\nFROM scratch\nCOPY --from=build /out/app /app`,
  },
  {
    name: 'stages-by-number',
    text: `FROM base:1\nRUN echo 0 > /o\nFROM scratch\nCOPY a.txt /o\nFROM scratch\nCOPY --from=0 /o /0\nCOPY --from=1 /o /1`,
  },
  {
    name: 'stages-from-stage',
    text: `FROM base:1 AS a\nENV X=1\nRUN echo a > /a\nFROM a AS b\nRUN echo $X > /b\nFROM b\nCMD ["c"]`,
  },
  {
    name: 'stages-three',
    text: `FROM base:1 AS one\nRUN echo 1 > /1\nFROM base:1 AS two\nRUN echo 2 > /2\nFROM scratch\nCOPY --from=one /1 /\nCOPY --from=two /2 /`,
  },
  {
    name: 'stages-copy-directory',
    text: `FROM base:1 AS b\nCOPY tree /t\nRUN ln /t/one /t/hard\nFROM scratch\nCOPY --from=b /t /t`,
  },
  {
    name: 'stages-copy-glob',
    text: `FROM base:1 AS b\nRUN mkdir /o && echo 1 > /o/a1 && echo 2 > /o/a2 && echo 3 > /o/b\nFROM scratch\nCOPY --from=b /o/a* /`,
  },
  {
    name: 'stages-copy-link-source',
    text: `FROM base:1 AS b\nRUN echo x > /real && ln -s /real /lnk\nFROM scratch\nCOPY --from=b /lnk /copied`,
  },
  { name: 'stages-case', text: `FROM base:1 AS Build\nRUN echo x > /x\nFROM scratch\nCOPY --from=BUILD /x /` },
  { name: 'stages-image', text: `${S}COPY --from=base:1 /etc/passwd /p` },
  { name: 'stages-target', text: `FROM base:1 AS a\nRUN echo a > /a\nFROM base:1 AS b\nRUN false`, target: 'a' },
  {
    name: 'stages-onbuild',
    text: `FROM base:1 AS a\nONBUILD RUN echo fired > /fired\nFROM a\nRUN echo own > /own`,
    but: { why: "Docker's old builder forgets ONBUILD of a stage of the same file", paths: ['fired'] },
  },
  {
    name: 'stages-keep-owners',
    text: `FROM base:1 AS b\nRUN echo x > /x && chown 5:6 /x\nFROM scratch\nCOPY --from=b /x /x`,
    but: { why: "Docker's old builder gives everything to root", owners: true },
  },

  // Lexing.
  { name: 'lower-case', text: 'from scratch\ncopy a.txt /\nenv a=b\ncmd ["x"]' },
  {
    name: 'comments',
    text: '# one\n\n   # two\nFROM scratch\n# three\nENV a=1 # not a comment=1 \nCOPY a.txt / '.replace(
      ' # not a comment=1 ',
      '',
    ),
  },
  { name: 'crlf', text: 'FROM scratch\r\nENV a=b\r\nCOPY a.txt /x\r\nCMD ["y"]\r\n' },
  { name: 'escape-directive', text: '# escape=`\nFROM scratch\nCOPY a.txt /\nENV a=C:\\dir`\n b=2\nLABEL x=`$y' },
  { name: 'continued-env', text: `${C}ENV a=1 \\\n    b=2 \\\n# comment\n    c=3` },
  { name: 'tabs', text: 'FROM\tscratch\nCOPY\ta.txt\tb.txt\t/t/\nLABEL\ta=b' },
];
