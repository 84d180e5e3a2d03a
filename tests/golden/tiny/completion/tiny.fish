# Made by xmsg-idl from the declarations of tiny 1.2.
#
# Completion of the scripts of plugins, which have the names of the calls.
# For fish: source this file.

# Whether so many parameters stand in front of the cursor.
function __tiny_at
    set -l n 0
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip -gt 0
            set skip (math $skip - 1)
            continue
        end
        switch $word
            case -j --json
            case '--*'
                set skip 2
            case '*'
                set n (math $n + 1)
        end
    end
    test $skip -eq 0 -a $n -eq $argv[1]
end

# Box.put
complete -c Box.put -s h -l help -d 'Explain the call'
complete -c Box.put -s j -l json -d 'Read JSON from standard input'

# Box.look
complete -c Box.look -s h -l help -d 'Explain the call'
complete -c Box.look -s j -l json -d 'Read JSON from standard input'
complete -c Box.look -n '__tiny_at 1' -f -a 'Plain' -d colour
complete -c Box.look -l limits -x -d 'Limits by name'
