FROM scratch
RUN <<EOF
echo $HOME
# no comment
EOF
RUN <<-TABS cat | tr a b
	tab
	 and blank
	TABS
COPY --chown=1:2 <<one <<'two' "/plain" /dest/
$expanded
one
$kept
two
RUN 3<<THREE 4<<'FOUR' sh
3
THREE
4
FOUR
RUN "<<NOT" <<'one two'
spaced
one two
RUN ["<<JSON"]
RUN <<eo'f'
quoted in part
eof
ONBUILD RUN <<LATER
later
LATER
LABEL x=<<NO
RUN << SPACE cat
blank before
SPACE
