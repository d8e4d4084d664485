// `images completion SHELL`: prints small scripts that call `images __complete`, so that the table of commands stays the single source.
import { ImagesError } from '../../oci/errors.ts';
import type { Run } from '../grammar/command.ts';

const BASH = `# bash completion for images: eval "$(images completion bash)"
_images() {
	local line word rest cut='' typed words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
	# Bash splits words at = and :, which references and options hold.
	if declare -F _get_comp_words_by_ref > /dev/null; then
		local cur words cword
		_get_comp_words_by_ref -n =: cur words cword
		words=("\${words[@]:1:cword}")
	elif [[ -n \${COMP_LINE-} ]]; then
		read -ra words <<< "\${COMP_LINE:0:COMP_POINT}"
		[[ \${COMP_LINE:COMP_POINT-1:1} == [[:space:]] ]] && words+=('')
		words=("\${words[@]:1}")
	fi
	typed="\${words[-1]}"
	# What stands before the last of them is there already.
	[[ \${COMP_WORDBREAKS-} == *[:=]* ]] && cut="\${typed%"\${typed##*[:=]}"}"
	COMPREPLY=()
	while IFS=$'\\t' read -r line rest; do
		case "$line" in
		:files | :directories)
			while IFS= read -r word; do
				COMPREPLY+=("$rest$word")
			done < <(compgen "$([[ $line == :files ]] && echo -f || echo -d)" -- "\${typed#"$rest"}")
			compopt -o filenames 2> /dev/null ;;
		*[=/:,]) COMPREPLY+=("$line"); compopt -o nospace 2> /dev/null ;;
		*) COMPREPLY+=("$line") ;;
		esac
	done < <(images __complete -- "\${words[@]}" 2> /dev/null)
	COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
	return 0
}
complete -F _images images
`;

const ZSH = `#compdef images
# zsh completion for images: eval "$(images completion zsh)"
_images() {
	local line word rest program=\${aliases[images]:-images}
	local -a found shown open opened typed
	typed=("\${(@)words[2,CURRENT]}")
	# While it completes, zsh knows no aliases.
	while IFS=$'\\t' read -r line rest; do
		word=$line
		[[ -n $rest ]] && word="$line -- $rest"
		case "$line" in
		:files) compset -P "$rest"; _files ;;
		:directories) compset -P "$rest"; _files -/ ;;
		*[=/:,]) open+=("$line"); opened+=("$word") ;;
		*) found+=("$line"); shown+=("$word") ;;
		esac
	done < <(eval "$program "'__complete -- "\${typed[@]}"' 2> /dev/null)
	(( \${#found} )) && compadd -l -d shown -- "\${found[@]}"
	(( \${#open} )) && compadd -S '' -l -d opened -- "\${open[@]}"
	return 0
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }
compdef _images images
`;

const FISH = `# fish completion for images: images completion fish | source
function __images_complete
	set -l words (commandline -opc) (commandline -ct)
	set -l typed (commandline -ct)
	for line in (images __complete -- $words[2..-1] 2> /dev/null)
		set -l parts (string split -m 1 \\t -- $line)
		set -l prefix $parts[2]
		switch $parts[1]
			case :files
				for path in (__fish_complete_path (string sub -s (math (string length -- "$prefix") + 1) -- $typed))
					echo $prefix$path
				end
			case :directories
				for path in (__fish_complete_directories (string sub -s (math (string length -- "$prefix") + 1) -- $typed))
					echo $prefix$path
				end
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
