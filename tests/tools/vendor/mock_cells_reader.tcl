# Reads the tables of mock_cells.tcl, and says which pins a cell has with given CONFIG values.

namespace eval mock {
    # VLNV -> list of lines.
    variable table [dict create]
}

proc mock::ip {vlnv body} {
    variable table
    foreach line [split $body \n] {
        set line [string trim $line]
        if {$line ne "" && ![string match "#*" $line]} {
            dict lappend table $vlnv $line
        }
    }
}
interp alias {} ip {} mock::ip

# Lines of `vlnv` that begin with one of `kinds`.
proc mock::lines {vlnv kinds} {
    variable table
    return [lmap line [dict get $table $vlnv] {
        if {[lindex $line 0] ni $kinds} {
            continue
        }
        set line
    }]
}

# CONFIG values before anything is set.
proc mock::default_config {vlnv} {
    set config [dict create]
    foreach line [lines $vlnv config] {
        dict set config [lindex $line 1] [lindex $line 2]
    }
    return $config
}

# Evaluate `expression` with the values of `config` as variables.
proc mock::with_config {config expression} {
    dict for {name value} $config {
        set $name $value
    }
    # The expression is data.
    # tclint-disable-next-line unbraced-expr
    return [expr $expression]
}

# What a cell has of `kinds`, as a list of dictionaries with kind, name, arguments, width, optional.
proc mock::features {vlnv config kinds} {
    set result {}
    foreach line [lines $vlnv $kinds] {
        set rest [lassign $line kind name]
        set arguments {}
        set feature [dict create kind $kind width 0 optional 0]
        set count ""
        set exists 1
        while {[llength $rest] > 0} {
            set rest [lassign $rest word]
            switch -- $word {
                -when {
                    set rest [lassign $rest condition]
                    set exists [with_config $config $condition]
                }
                -count {
                    set rest [lassign $rest expression]
                    set count [with_config $config $expression]
                }
                -width {
                    set rest [lassign $rest expression]
                    dict set feature width [with_config $config $expression]
                }
                -optional {
                    dict set feature optional 1
                }
                default {
                    lappend arguments $word
                }
            }
        }
        dict set feature arguments $arguments
        if {!$exists} {
            continue
        }
        if {$count eq ""} {
            lappend result [dict replace $feature name $name]
        }
        for {set index 0} {$count ne "" && $index < $count} {incr index} {
            lappend result [dict replace $feature name [format $name $index]]
        }
    }
    return $result
}
