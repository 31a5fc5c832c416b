# Commands of Vitis HLS (UG1399). The project is made in the current folder, as the tool does.

proc mock::need {what} {
    foreach each $what {
        if {![has hls $each]} {
            fail "$each is missing"
        }
    }
}

proc mock::solution {args} {
    return [file join [get hls open_project] [get hls open_solution] {*}$args]
}

mock::command open_project {-reset} {} 1 1 {
    set folder [file join [pwd] [lindex $rest 0]]
    if {[dict exists $option -reset]} {
        file delete -force $folder
    }
    file mkdir $folder
    mock::set_state hls open_project $folder
}

mock::command open_solution {-reset} {-flow_target} 1 1 {
    mock::need open_project
    if {![dict exists $option -flow_target] || [dict get $option -flow_target] ne "vivado"} {
        mock::fail "open_solution: -flow_target must be vivado: the result is an IP"
    }
    mock::set_state hls open_solution [lindex $rest 0]
    file mkdir [mock::solution]
}

mock::command set_top {} {} 1 1 {
    mock::set_state hls set_top [lindex $rest 0]
}

# Sources exist, and so do the folders in which headers are looked for.
mock::command add_files {-tb} {-cflags -csimflags} 1 1 {
    mock::need open_project
    mock::require_file [lindex $rest 0]
    foreach flags {-cflags -csimflags} {
        if {[dict exists $option $flags]} {
            foreach {_ folder} [regexp -all -inline -- {-I\s*(\S+)} [dict get $option $flags]] {
                mock::require_file $folder
            }
        }
    }
    mock::set_state hls [expr {[dict exists $option -tb] ? "add_files -tb" : "add_files"}] 1
}

mock::command set_part {} {} 1 1 {
    mock::need open_solution
    mock::set_state hls set_part [lindex $rest 0]
}

mock::command create_clock {} {-period -name} 0 0 {
    mock::need open_solution
    if {[dict get $option -period] <= 0} {
        mock::fail "create_clock: -period must be positive, not [dict get $option -period]"
    }
    mock::set_state hls create_clock [dict get $option -period]
}

# In ns, or in per cent of the period of clocks that there are.
mock::command set_clock_uncertainty {} {} 1 2 {
    mock::need create_clock
    if {![regexp {^\d+(\.\d+)?%?$} [lindex $rest 0]]} {
        mock::fail "set_clock_uncertainty: must be ns or per cent, not [lindex $rest 0]"
    }
}

mock::command config_storage {} {-impl -auto_srl_max_bits -auto_srl_max_depth} 1 1 {
    mock::need open_solution
    if {[lindex $rest 0] ne "fifo"} {
        mock::fail "config_storage: fifo is the only type, not [lindex $rest 0]"
    }
    if {[dict get $option -impl] ni {auto autosrl bram lutram uram memory srl}} {
        mock::fail "config_storage: unknown -impl [dict get $option -impl]"
    }
}

mock::command csim_design {-O -clean} {-argv -ldflags} 0 0 {
    mock::need {add_files {add_files -tb} open_solution}
    mock::require_file [dict get $option -argv]
    if {[dict get $mock::setting -csim] != 0} {
        mock::fail "csim_design: the test bench returned [dict get $mock::setting -csim]"
    }
    mock::write [mock::solution csim report eie_csim.log]
}

mock::command csynth_design {} {} 0 0 {
    mock::need {add_files set_top set_part create_clock}
    mock::write [mock::solution syn report csynth.rpt]
}

mock::command export_design {} {
    -rtl -format -vendor -library -ipname -version -display_name -description -output
} 0 0 {
    mock::need {open_project open_solution}
    mock::require_file [mock::solution syn report csynth.rpt]
    if {[dict get $option -format] ne "ip_catalog"} {
        mock::fail "export_design: -format must be ip_catalog, not [dict get $option -format]"
    }
    set vlnv [join [lmap each {-vendor -library -ipname -version} {dict get $option $each}] :]
    mock::write [mock::solution impl ip component.xml] $vlnv\n
}
