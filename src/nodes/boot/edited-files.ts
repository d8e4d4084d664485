// Part of the boot script: how a file that others read is replaced, edited in place, or installed beside what was there.

export const EDITED_FILES = `# Behind a symbolic link is the file itself.
behind_links() {
	readlink -f "$1" 2>/dev/null || echo "$1"
}

# The new content is in $1.private-reg. A file that is mounted can only be written to.
replace() {
	if cmp -s "$1" "$1.private-reg"; then
		rm -f "$1.private-reg"
	elif ! mv -f "$1.private-reg" "$1" 2>/dev/null; then
		cat "$1.private-reg" >"$1"
		rm -f "$1.private-reg"
	fi
}

# rewrite FILE COMMAND…: the file becomes what the command makes of it, with its owner and mode. busybox's awk says nothing of a full disk, so it is run
# once more and compared.
rewrite() {
	edited=$1
	shift
	if cp -p "$edited" "$edited.private-reg" 2>/dev/null && "$@" "$edited" >"$edited.private-reg" && "$@" "$edited" | cmp -s - "$edited.private-reg"; then
		replace "$edited"
	else
		rm -f "$edited.private-reg"
		return 1
	fi
}

# A file that is there stays, unless this script has put it there.
install_staged() {
	file=$root/$1
	[ -r "$stage/$1" ] || return 0
	if [ -e "$file" ] && ! cmp -s "$file" "$stage/$1" && ! cmp -s "$file" "$stage/installed/$1"; then
		log "WARNING: /$1 was there before and stays; what the private registry needs is in /etc/private-reg/$1"
		return 1
	fi
	file=$(behind_links "$file")
	mkdir -p "$(dirname "$file")" "$(dirname "$stage/installed/$1")"
	if cp -p "$stage/$1" "$file.private-reg"; then
		replace "$file"
		cp -p "$stage/$1" "$stage/installed/$1"
	else
		rm -f "$file.private-reg"
		log "WARNING: /$1 cannot be written, and stays as it is"
	fi
}
`;
