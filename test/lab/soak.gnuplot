# The plot of a soak: gnuplot -c soak.gnuplot TABLE.tsv PLOT.png
table = ARG1
set terminal pngcairo size 1200,1000 font "DejaVu Sans,11" background "white"
set output ARG2
set datafile separator tab
what = system("sed -n '1s/^# //p' '".table."'")

# Before any range is set, or what lies outside of it is not counted.
stats table using 1 name "time" nooutput
stats table using 3 name "rss" nooutput
stats table using 4 name "fds" nooutput
stats table using 5 name "threads" nooutput
stats table using 10 name "gap" nooutput
max(a, b) = a > b ? a : b

# A row whose link, or camera, is so becomes a box as wide as the row took and as high as the panel.
array words[4] = ["rate", "loss", "delay", "unplugged"]
array columns[4] = [12, 12, 12, 13]
array titles[4] = ["narrow link", "loss of 2 %", "delay of 40 ms with jitter", "camera unplugged"]
array colours[4] = ["#ffe8b0", "#ffcccc", "#d4e6ff", "#bdbdbd"]

set xrange [0:time_max / 60]
set lmargin at screen 0.08
set rmargin at screen 0.98
set style fill solid noborder
set tics out nomirror
set multiplot
set label 1 "Soak in the lab: ".what at screen 0.5, 0.985 center font "DejaVu Sans,14"

set tmargin at screen 0.91
set key at screen 0.98, 0.957 right top horizontal samplen 1.5 maxrows 1
set bmargin at screen 0.66
set format x ""
set ylabel "resident memory (MB)"
low = floor(rss_min) - 1
high = ceil(rss_max) + 1
set yrange [low:high]
plot for [i=1:4] table using ($1/60):(low):(($1-$2)/60):($1/60):(low):(strcol(columns[i]) eq words[i] ? high : low) \
    with boxxyerror lc rgb colours[i] title titles[i], \
  table using ($1/60):3 with lines lw 1.5 lc rgb "#1f4e9c" title "resident memory"
unset label 1

set tmargin at screen 0.60
set key at screen 0.98, 0.632 right top horizontal samplen 1.5 maxrows 1
set bmargin at screen 0.36
set ylabel "number"
low = 0
high = max(fds_max, threads_max) * 1.1
set yrange [low:high]
plot for [i=1:4] table using ($1/60):(low):(($1-$2)/60):($1/60):(low):(strcol(columns[i]) eq words[i] ? high : low) \
    with boxxyerror lc rgb colours[i] notitle, \
  table using ($1/60):4 with lines lw 1.5 lc rgb "#1f4e9c" title "descriptors", \
  table using ($1/60):5 with lines lw 1.5 lc rgb "#b03a2e" title "threads", \
  table using ($1/60):6 with lines lw 1.5 lc rgb "#7d3c98" title "goroutines", \
  table using ($1/60):7 with steps lw 1.5 lc rgb "#1e8449" title "viewers"

set tmargin at screen 0.30
set key at screen 0.98, 0.332 right top horizontal samplen 1.5 maxrows 1
set bmargin at screen 0.065
set format x "%g"
set xlabel "time (minutes)"
set ylabel "longest gap (ms)"
set logscale y
set ytics (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)
low = 50
high = max(gap_max * 1.3, 5000)
set yrange [low:high]
plot for [i=1:4] table using ($1/60):(low):(($1-$2)/60):($1/60):(low):(strcol(columns[i]) eq words[i] ? high : low) \
    with boxxyerror lc rgb colours[i] notitle, \
  table using ($1/60):10 with points pt 7 ps 0.6 lc rgb "#1f4e9c" title "longest time without a frame since the row before", \
  1000 with lines dt 2 lc rgb "#b03a2e" title "most while all is well"
unset multiplot
