# Commands for Vivado projects and runs (UG835), in the order in which they need each other.

mock::command create_project {-force} {-part} 1 2 {
    lassign $rest name directory
    if {![dict exists $option -part]} {
        mock::fail "create_project needs -part"
    }
    mock::set_state project [dict create name $name directory $directory \
        part [dict get $option -part]]
    file mkdir $directory
}

mock::command current_project {} {} 0 0 {
    if {![mock::has project]} {
        mock::fail "no project is open"
    }
    return project:[mock::get project name]
}

mock::command current_fileset {} {} 0 0 {
    return fileset:sources_1
}

mock::command get_board_parts {-quiet -latest_file_version} {} 1 1 {
    return [lsearch -all -inline -glob [dict get $mock::setting -boards] [lindex $rest 0]]
}

mock::command set_property {} {-dict} 1 3 {
    if {[dict exists $option -dict]} {
        set properties [dict get $option -dict]
        set target [lindex $rest 0]
    } else {
        set properties [lrange $rest 0 1]
        set target [lindex $rest 2]
    }
    switch -glob -- $target {
        cell:* {
            mock::set_cell_config [mock::object cell $target] $properties
        }
        project:* {
            lassign $properties name value
            switch -- $name {
                board_part {
                    if {$value ni [dict get $mock::setting -boards]} {
                        mock::fail "no board files for $value"
                    }
                    mock::set_state project board_part $value
                }
                ip_repo_paths {
                    mock::set_state project ip_repo_paths $value
                }
                default {
                    mock::fail "no such property of a project: $name"
                }
            }
        }
        fileset:* {
            lassign $properties name value
            if {$name ne "top" || ![mock::has wrapper] || $value ne [mock::get wrapper]} {
                mock::fail "no such module for property $name of a fileset: $value"
            }
            mock::set_state top $value
        }
        default {
            mock::fail "set_property: no such object: '$target'"
        }
    }
}

mock::command get_property {} {} 2 2 {
    lassign $rest name target
    switch -glob -- $target:$name {
        run:*:PROGRESS {
            return [expr {[mock::run_failed $target] ? "45%" : "100%"}]
        }
        run:*:STATUS {
            return [expr {[mock::run_failed $target] ? "design ERROR" : "Complete!"}]
        }
        run:impl_1:STATS.TPWS {
            return [dict get $mock::setting -tpws]
        }
        path:-setup:SLACK {
            return [dict get $mock::setting -wns]
        }
        path:-hold:SLACK {
            return [dict get $mock::setting -whs]
        }
        pin:*:CONFIG.FREQ_HZ {
            return [mock::clock_hz [mock::object pin $target]]
        }
        default {
            mock::fail "no such property of '$target': $name"
        }
    }
}

# The clock that a processing system gives: a whole fraction of a PLL's 1 or 1.5 GHz.
proc mock::clock_hz {path} {
    set config [cell_config [lindex [split $path /] 0]]
    if {[string match */FCLK_CLK0 $path]} {
        set pll 1000.0
        set wanted [dict get $config PCW_FPGA0_PERIPHERAL_FREQMHZ]
    } else {
        set pll 1500.0
        set wanted [dict get $config PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ]
    }
    return [expr {round(1e6 * $pll / ceil($pll / $wanted))}]
}

mock::command update_ip_catalog {} {} 0 0 {
    set found {}
    foreach folder [mock::get project ip_repo_paths] {
        set description [file join $folder component.xml]
        mock::require_file $description
        set channel [open $description]
        lappend found [string trim [read $channel]]
        close $channel
    }
    mock::set_state repository $found
}

# ---- The top module ------------------------------------------------------------------------------

mock::command get_files {} {} 1 1 {
    set name [lindex $rest 0]
    if {![mock::has design] || $name ne "[mock::get design name].bd"} {
        mock::fail "no such file in the project: $name"
    }
    return file:$name
}

proc mock::need_valid_design {} {
    check_finished
    if {![get design saved]} {
        fail "the block design was not saved"
    }
}

mock::command generate_target {} {} 2 2 {
    mock::object file [lindex $rest 1]
    mock::need_valid_design
    set name [mock::get design name]
    mock::write [file join [mock::get project directory] \
        eie.gen sources_1 bd $name hw_handoff $name.hwh] [mock::handoff]
}

mock::command make_wrapper {-top -import} {} 1 1 {
    mock::object file [lindex $rest 0]
    mock::need_valid_design
    mock::set_state wrapper [mock::get design name]_wrapper
}

mock::command update_compile_order {} {-fileset} 0 0 {}

# ---- Runs ----------------------------------------------------------------------------------------

proc mock::run_failed {run} {
    return [expr {[object run $run] eq [dict get $::mock::setting -fail]}]
}

mock::command get_runs {} {} 1 1 {
    if {[lindex $rest 0] ni {synth_1 impl_1}} {
        mock::fail "no such run: [lindex $rest 0]"
    }
    return run:[lindex $rest 0]
}

mock::command launch_runs {} {-jobs -to_step} 1 1 {
    set run [mock::object run [get_runs [lindex $rest 0]]]
    if {![mock::has top]} {
        mock::fail "launch_runs $run: the project has no top module"
    }
    if {$run eq "impl_1" && ![mock::has finished synth_1]} {
        mock::fail "launch_runs impl_1: synth_1 has not finished"
    }
    if {[dict exists $option -to_step]} {
        if {[dict get $option -to_step] ne "write_bitstream"} {
            mock::fail "no such step: [dict get $option -to_step]"
        }
        set project [mock::get project]
        mock::write [file join [dict get $project directory] \
            [dict get $project name].runs $run [mock::get top].bit]
    }
    mock::set_state launched $run 1
}

mock::command wait_on_run {} {-timeout} 1 1 {
    set run [lindex $rest 0]
    if {![mock::has launched $run]} {
        mock::fail "wait_on_run: $run was not launched"
    }
    mock::set_state finished $run 1
}

mock::command open_run {} {} 1 1 {
    if {![mock::has finished [lindex $rest 0]]} {
        mock::fail "open_run: [lindex $rest 0] has not finished"
    }
    mock::set_state opened [lindex $rest 0]
}

proc mock::need_implementation {} {
    if {![has opened] || [get opened] ne "impl_1"} {
        fail "no implemented design is open"
    }
}

mock::command report_utilization {} {-file} 0 0 {
    mock::need_implementation
    mock::write [dict get $option -file]
}

mock::command report_timing_summary {} {-file -max_paths} 0 0 {
    mock::need_implementation
    mock::write [dict get $option -file]
}

mock::command get_timing_paths {-setup -hold} {-max_paths -nworst} 0 0 {
    mock::need_implementation
    return path:[expr {[dict exists $option -setup] ? "-setup" : "-hold"}]
}
