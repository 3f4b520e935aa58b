a = <<-EOT
%{for x in y~}
  ${x.y}
%{endfor~}
EOT
