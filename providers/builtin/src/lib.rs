//! The builtin providers of topo: terraform_data, random, tls, null, time, local
