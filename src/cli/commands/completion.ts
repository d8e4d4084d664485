// `images completion SHELL`: small scripts that ask `images __complete`, so that the table of commands stays the one source.
import { ImagesError } from '../../oci/errors.ts';
import type { Run } from '../command.ts';

const BASH = `# bash completion for images: eval "$(images completion bash)"
_images() {
	local line words=("\${COMP_WORDS[@]:1:COMP_CWORD}") typed
	# Bash splits words at = and :, which references and options hold.
	if declare -F _get_comp_words_by_ref > /dev/null; then
		local cur words cword
		_get_comp_words_by_ref -n =: cur words cword
		words=("\${words[@]:1:cword}")
	fi
	typed="\${words[-1]}"
	COMPREPLY=()
	while IFS= read -r line; do
		case "$line" in
		:files) mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "\${typed#*=}"); compopt -o filenames ;;
		:directories) mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "\${typed#*=}"); compopt -o filenames ;;
		*=) COMPREPLY+=("$line"); compopt -o nospace ;;
		*) COMPREPLY+=("$line") ;;
		esac
	done < <(images __complete -- "\${words[@]}" 2> /dev/null)
	declare -F __ltrim_colon_completions > /dev/null && __ltrim_colon_completions "$typed"
	return 0
}
complete -F _images images
`;

const ZSH = `#compdef images
# zsh completion for images: eval "$(images completion zsh)"
_images() {
	local line program=\${aliases[images]:-images}
	local -a found options typed
	typed=("\${(@)words[2,CURRENT]}")
	# While it completes, zsh knows no aliases.
	while IFS= read -r line; do
		case "$line" in
		:files) compset -P '--*='; _files ;;
		:directories) compset -P '--*='; _files -/ ;;
		*=) options+=("$line") ;;
		*) found+=("$line") ;;
		esac
	done < <(eval "$program "'__complete -- "\${typed[@]}"' 2> /dev/null)
	(( \${#found} )) && compadd -- "\${found[@]}"
	(( \${#options} )) && compadd -S '' -- "\${options[@]}"
	return 0
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }
compdef _images images
`;

const FISH = `# fish completion for images: images completion fish | source
function __images_complete
	set -l words (commandline -opc) (commandline -ct)
	for line in (images __complete -- $words[2..-1] 2> /dev/null)
		switch $line
			case :files
				__fish_complete_path (commandline -ct)
			case :directories
				__fish_complete_directories (commandline -ct)
			case '*'
				echo $line
		end
	end
end
complete -c images -f -a '(__images_complete)'
`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export const run: Run = async ({ args: [shell = ''], context }) => {
  const script = SCRIPTS[shell];
  if (script === undefined) {
    throw new ImagesError('USAGE', `no completion for this shell [${shell}]`, {
      hint: 'There is one for bash, zsh and fish.',
    });
  }
  await context.out(script);
  return 0;
};
