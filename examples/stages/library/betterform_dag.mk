# Which stages there are, and which each comes after.
$(call define_stage, state_storage, )
$(call define_stage, parallel_a, state_storage)
$(call define_stage, parallel_b, state_storage)
$(call define_stage, final, \
  parallel_a parallel_b)
