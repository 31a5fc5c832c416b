# Executes a script for Vitis HLS or Vivado under tclsh, and fails where the tool would, or should.
#
#   tclsh mock.tcl SCRIPT ?OPTION VALUE ...?
#
#   -version V       what `version -short` says             (2024.1)
#   -boards LIST     board parts whose files are installed  (none)
#   -without LIST    IPs that the catalog lacks             (none)
#   -wns NS -whs NS  setup and hold slack after routing     (0.125, 0.030)
#   -tpws NS         total pulse width slack                (0.000)
#   -fail RUN        a run that fails                       (none)
#   -csim N          exit status of the test bench          (0)
#
# Only the commands here exist, with the options listed for each; anything else is an error that
# names it. Block designs are checked against mock_cells.tcl (see mock_block_design.tcl). Files
# that the tool would leave behind are made, with "mock" for contents but for the handoff (see
# mock_handoff.tcl). It knows nothing of synthesis: that a script passes says that its names and
# connections hold together, no more.

namespace eval mock {
    variable setting {
        -version 2024.1 -boards {} -without {} -wns 0.125 -whs 0.030 -tpws 0.000 -fail {} -csim 0
    }
    # Everything the script has made so far.
    variable state [dict create]
    variable commands {}
}

proc mock::fail {message} {
    return -code error "mock: $message"
}

proc mock::has {args} {
    variable state
    return [dict exists $state {*}$args]
}

proc mock::get {args} {
    variable state
    return [dict get $state {*}$args]
}

proc mock::set_state {args} {
    variable state
    dict set state {*}$args
}

# Define the tool's command `name`. `flags` take no value, `options` take one; the body sees the
# dictionary `option` and the list `rest`, which has from `low` to `high` elements.
proc mock::command {name flags options low high body} {
    variable commands
    lappend commands $name
    # The body is made by substitution.
    # tclint-disable-next-line command-args
    proc ::$name args [string map [list @NAME $name @FLAGS $flags @OPTIONS $options \
            @LOW $low @HIGH $high @BODY $body] {
        lassign [mock::split_arguments {@NAME} {@FLAGS} {@OPTIONS} {@LOW} {@HIGH} $args] option rest
        @BODY
    }]
}

proc mock::split_arguments {name flags options low high arguments} {
    set option [dict create]
    set rest {}
    while {[llength $arguments] > 0} {
        set arguments [lassign $arguments argument]
        if {$argument in $flags} {
            dict set option $argument 1
        } elseif {$argument in $options} {
            if {[llength $arguments] == 0} {
                fail "$name: $argument must have a value"
            }
            set arguments [lassign $arguments value]
            dict set option $argument $value
        } elseif {[regexp {^-[a-zA-Z]} $argument]} {
            fail "$name has no option $argument"
        } else {
            lappend rest $argument
        }
    }
    if {[llength $rest] < $low || [llength $rest] > $high} {
        fail "$name must have $low to $high arguments, not [llength $rest]"
    }
    return [list $option $rest]
}

proc mock::require_file {path} {
    if {![file exists $path]} {
        fail "no such file: $path"
    }
}

proc mock::write {path {text "mock\n"}} {
    file mkdir [file dirname $path]
    set channel [open $path w]
    puts -nonewline $channel $text
    close $channel
}

# Commands of both tools.
mock::command version {-short} {} 0 0 {
    return [dict get $mock::setting -version]
}
rename exit mock::real_exit
# Meant to be redefined.
# tclint-disable-next-line redefined-builtin
proc exit {{status 0}} {
    mock::finish $status
}

# Make sure that nothing was left undone, and leave.
proc mock::finish {status} {
    if {$status == 0 && [catch {check_finished} message]} {
        puts stderr $message
        set status 1
    }
    real_exit $status
}

proc mock::check_finished {} {
    if {[has design] && [get design changed]} {
        fail "the block design was changed, or never checked, after validate_bd_design"
    }
}

proc unknown {name args} {
    mock::fail "unknown command '$name'"
}

# `string map` in mock::command needs no auto-loading, and a typo must not run a shell command.
set auto_noexec 1
set auto_noload 1

set folder [file dirname [file normalize [info script]]]
foreach part {
    mock_cells_reader mock_cells mock_block_design mock_validate mock_handoff mock_project mock_hls
} {
    source [file join $folder $part.tcl]
}

set arguments [lassign $argv script]
foreach {name value} $arguments {
    if {![dict exists $mock::setting $name]} {
        puts stderr "mock.tcl has no option $name"
        mock::real_exit 2
    }
    dict set mock::setting $name $value
}
unset arguments
if {[catch {source $script} message]} {
    puts stderr $message
    mock::real_exit 1
}
mock::finish 0
